"""Checks names that appear in a record or on a terminal. It knows characters only."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from models.errors import InputError

# Control characters, lone surrogates (how Python shows bytes that are not UTF-8), line and paragraph ends.
UNWRITABLE = frozenset(("Cc", "Cs", "Zl", "Zp"))


def printable(text: str) -> str:
    """Escape the characters that a terminal or a JSON file cannot show."""
    return "".join(
        letter.encode("unicode_escape").decode("ascii") if _is_unwritable(letter) else letter
        for letter in text
    )


def _is_unwritable(letter: str) -> bool:
    return unicodedata.category(letter) in UNWRITABLE


def check_name(name: str, noun: str) -> None:
    """Raise an InputError if the name contains control characters or bytes that are not UTF-8."""
    if any(map(_is_unwritable, name)):
        raise InputError(
            f"{noun} '{printable(name)}' contains a control character or bytes that are not UTF-8; rename it"
        )


def check_class_names(where: str, names: Sequence[str]) -> None:
    """Raise an InputError unless each class has a printable name of its own."""
    if not names:
        raise InputError(f"{where} is empty; at least two classes are needed")
    for label, name in enumerate(names):
        if not name.strip():
            raise InputError(
                f"{where}: the name of class {label} is empty ('{name}'); give each class a name"
            )
        check_name(name, f"{where}: class")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InputError(f"{where}: {count} classes are named '{name}'; give each class a name of its own")
