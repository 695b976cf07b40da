"""Text that is safe to print: nothing in it moves the cursor or talks to the terminal, no list is long. Pure.

The text of a file or a board may contain escape sequences, which a terminal would follow.
"""

from collections.abc import Sequence

_LAYOUT = "\n\t"
_MOST_NAMES = 3


def printable(text: str) -> str:
    r"""Return text with every character that cannot be printed as Python writes it, such as `\x1b`."""
    return _escaped(text, "")


def printable_lines(text: str) -> str:
    """Return the same, but with the line ends and tabs that the text has."""
    return _escaped(text, _LAYOUT)


def _escaped(text: str, kept: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in kept else repr(letter)[1:-1] for letter in text
    )


def some_of(names: Sequence[str]) -> str:
    """Return up to three names; of more the first two and a count."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMES - 1])} and {len(names) - _MOST_NAMES + 1} more"
