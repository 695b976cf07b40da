"""Documents whose every free text is hostile, and what an output that shows it may not hold."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import reduce
from operator import getitem
from typing import Any

from markdown_it import MarkdownIt

from user_files.printable import printable, printable_lines

_MARKUP = "<img src=x onerror=alert(1)><script>alert(1)</script>[x](javascript:alert(1)) ![x](http://e/x)"
_RICH = "[/x][bold red]y[/][link=http://e]z[/link] {{7*7}} `code` | @all \\"
_UNSEEN = "\u2066\u200f\u200b\ufeff\U000e0041\xad\u3164\ufe0f a" + "\u0301" * 50
_COMMANDS = "::error file=a.py::FORGED ##[error]FORGED ##vso[task.complete]FORGED"
LINE = f"=1+1 {_MARKUP} {_RICH} {_UNSEEN} {_COMMANDS}"
"""One line of text, as a record of an earlier version may hold it as a name."""
TEXT = (
    f"{LINE}\x1b]0;title\x07\x1b[2J\x9b2J\u202e\n::error::FORGED\n  ::stop-commands::x\r::add-mask::x\n"
    "section_start:1:x\r\x1b[0K\v\f\x85\u2028\u2029# FORGED\n\n- FORGED\n===\n1. FORGED\n\x00\ufffe"
)
"""Text that holds everything at once."""
_LINES = re.compile("[^\n\r\v\f\x85\u2028\u2029]+")
_OWN_TAGS = re.compile(
    r"<!-- edgefit \w+ -->|<details><summary>(Conditions(; warnings and gaps: \d+)?|Each class)</summary>"
    r"|</details>"
)
_FORGED = re.compile(r"^\s*::|##[A-Za-z]*\[", re.MULTILINE)

Place = tuple[Any, ...]


def with_texts(document: Any, is_valid: Callable[[Any], bool], *texts: str) -> Any:
    """Return a JSON document with the first of the texts in each place that takes one."""
    document = copy.deepcopy(document)
    alike: dict[tuple[str, ...], list[Place]] = {}
    for place in _places(document):
        alike.setdefault(tuple(part for part in place if isinstance(part, str)), []).append(place)
    for places in alike.values():
        if not _takes(document, places, is_valid, texts):
            for place in places if len(places) > 1 else ():
                _takes(document, [place], is_valid, texts)
    return document


def _takes(
    document: Any, places: list[Place], is_valid: Callable[[Any], bool], texts: tuple[str, ...]
) -> bool:
    """Put the first text that a document takes in all of these places, and return whether it takes one."""
    holders = [reduce(getitem, place[:-1], document) for place in places]
    before = [holder[place[-1]] for holder, place in zip(holders, places, strict=True)]
    for text in texts:
        for holder, place in zip(holders, places, strict=True):
            holder[place[-1]] = text
        if is_valid(document):
            return True
    for holder, place, value in zip(holders, places, before, strict=True):
        holder[place[-1]] = value
    return False


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, str):
            yield (*place, key)
        else:
            yield from _places(inner, (*place, key))


def harmless(document: Any) -> Any:
    """Return the same document with its hostile texts escaped, except that they have several lines."""
    return _replaced(document, lambda text: _LINES.sub(lambda line: printable(line[0]), text))


def plain(document: Any) -> Any:
    """Return the same document with ordinary words in the place of each hostile text."""
    return _replaced(document, lambda _: "some plain words")


def _replaced(document: Any, by: Callable[[str], str]) -> Any:
    if isinstance(document, dict):
        return {key: _replaced(value, by) for key, value in document.items()}
    if isinstance(document, list):
        return [_replaced(value, by) for value in document]
    return by(document) if document in (TEXT, LINE) else document


def count_of(document: Any) -> int:
    """Return in how many places a document is hostile."""
    return json.dumps(document).count(json.dumps(_UNSEEN)[1:-1])


def assert_harmless(shown: str) -> None:
    """Fail if a terminal or a CI system would follow something in what is shown, or does not show it."""
    assert_printable(shown)
    assert _FORGED.search(shown) is None, _FORGED.search(shown)


def assert_printable(text: str) -> None:
    """Fail if a character of a text is not seen, or is followed."""
    assert printable_lines(text) == text, text[:200]


def blocks_of_markdown(text: str) -> list[str]:
    """Return the blocks of Markdown, which has no link, no image and no tag but edgefit's."""
    assert_harmless(text.replace("@\u200b", "@").replace("\ufe0f", ""))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inner = [child for token in tokens for child in token.children or ()]
    assert not {"link_open", "image", "html_inline"} & {token.type for token in inner}
    tags = [token.content.strip() for token in tokens if token.type == "html_block"]
    assert not [tag for tag in tags if not _OWN_TAGS.fullmatch(tag)]
    return [token.type for token in (*tokens, *inner) if token.type not in ("text", "softbreak")]
