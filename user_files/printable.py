"""Text from outside, as a terminal or a log may show it: nothing in it is followed, and nothing hides. Pure.

A file, a board or a library may send escape sequences, marks that turn the direction of writing, signs that
are not seen, and lines that a CI system takes for commands. Each kind of output has one function that makes
text harmless: these for terminals and logs, others in bench/render and bench/markdown_text.py.
"""

import json
import re
import unicodedata

_LAYOUT = "\n\t"
# Letters and marks that count as printable, and are not seen: fillers, joiners, selectors of a variation.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# No language puts more marks than these on one letter.
_MOST_MARKS = 6
_MARKS = ("Mn", "Me")
_LINE_ENDS = re.compile("[\n\r\v\f\x85\u2028\u2029]+")
# GitHub takes `::name::` at the start of a line for a command, also after blanks, and perhaps after codes of
# colours, which some logs drop; it and others `##[name]`, `##vso[name]` and the like anywhere in a line.
_COMMAND = re.compile(r"(?m)(?P<begins>^(?:[^\S\n]|\x1b\[[0-9;]*m)*:)(?=:)|(?P<within>#)(?=#[A-Za-z]*\[)")
_LONGEST = 4000
# JSON lets these stand in a string as they are.
_COMMAND_IN_JSON = re.compile(r"(?<=#)#(?=[A-Za-z]*\[)")
_NOT_ASCII = re.compile("[^\n -~]")


def printable(text: str) -> str:
    r"""Return text with every character that is not seen as Python writes it, such as `\x1b`: one line."""
    return _escaped(text, "")


def printable_lines(text: str) -> str:
    """Return the same, but with the line ends and tabs that the text has."""
    return _escaped(text, _LAYOUT)


def one_line(text: str) -> str:
    """Return a sentence as one printable line: a blank in the place of each line end."""
    first, *others = _LINE_ENDS.split(text.rstrip())
    joined = " ".join([first.rstrip(), *filter(None, map(str.strip, others))])
    return printable(joined.replace("\t", " "))


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return text without what is beyond the length of a long sentence, and how much that was."""
    more = len(text) - longest
    return text if more <= 0 else f"{text[:longest]}… ({more:,} more characters)"


def without_commands(text: str) -> str:
    """Return text in which no CI system finds a command: a blank takes apart what begins one."""
    return _COMMAND.sub(r"\g<0> ", text) if ":" in text or "#" in text else text


def printable_json(document: str, is_unicode: bool = True) -> str:
    """Return the same JSON document, in which a terminal or a log finds nothing to follow."""
    if not is_unicode:
        document = _NOT_ASCII.sub(_in_json, document)
    elif not document.replace("\n", "").isprintable() or _UNSEEN.search(document):
        document = "".join(
            letter if letter == "\n" or _is_seen(letter) else json.dumps(letter)[1:-1] for letter in document
        )
    return _COMMAND_IN_JSON.sub(r"\\u0023", document)


def _in_json(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _is_seen(letter: str) -> bool:
    return letter.isprintable() and not _UNSEEN.match(letter)


def _escaped(text: str, kept: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter) in _MARKS else 0
        is_shown = letter in kept or (_is_seen(letter) and marks <= _MOST_MARKS)
        shown.append(letter if is_shown else ascii(letter)[1:-1])
    return "".join(shown)
