"""Which names the classes of an output have, in which order. It reads no data, but a file of names."""

import re
from collections.abc import Collection
from pathlib import Path

import numpy as np

from bench.bundle.evaluation_pack import Labels
from bench.errors import InputError
from models.sources.names import check_class_names
from user_files.contents import LARGEST_DOCUMENT, ContentError, content_of
from user_files.faults import why_replaced
from user_files.missing_paths import missing_hint
from user_files.path_kinds import wrong_path
from user_files.printable import printable
from user_files.text import TextError, text_of

_MOST_NAMED = 5


def stated_classes(stated: str) -> tuple[str, ...]:
    """Return the names that `--classes` states: `a,b,…`, or a file with a name per line.

    Raises InputError for a file that cannot be read, and for names that are empty or occur twice.
    """
    if "," in stated:
        names = tuple(name.strip() for name in stated.split(","))
        check_class_names("--classes", names)
    elif Path(stated).is_file():
        names = _lines_of(Path(stated))
        check_class_names(f"--classes {stated}", names)
    else:
        remedy = "give a file with a name per line, or a,b,…"
        if Path(stated).exists():
            fault = wrong_path(Path(stated), "a file with a name per line", remedy)
            raise InputError(f"--classes {printable(stated)}: {fault}")
        raise InputError(
            f"--classes {printable(stated)}: there is no such file, and it is no list; "
            f"{missing_hint(stated) or remedy}"
        )
    return names


def _lines_of(path: Path) -> tuple[str, ...]:
    if (why := why_replaced(path)) is not None:
        raise InputError(f"--classes {why}")
    try:
        text = text_of(content_of(path, LARGEST_DOCUMENT))
    except (OSError, ContentError, TextError) as error:
        raise InputError(
            f"--classes {path}: cannot be read as text ({error}); give a file with a name per line"
        ) from error
    return tuple(line.strip() for line in text.strip().splitlines())


def ordered_names(where: str, found: Collection[str], stated: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes in the order of the output: those stated, else the found ones in the order of the
    alphabet, as torchvision's ImageFolder and Keras do.

    Raises InputError for a found name that is not among the stated ones.
    """
    if not stated:
        return tuple(sorted(found))
    unknown = sorted(set(found) - set(stated))
    if unknown:
        raise InputError(
            f"{where}: '{printable(unknown[0])}' is not among the classes stated ({listed(stated)}); state "
            "the names that the data has, with --classes, in the order of the output"
        )
    return stated


def renumbered(labels: Labels, names: tuple[str, ...], ordered: tuple[str, ...]) -> Labels:
    """Return labels that number the classes `names` with the numbers that they have in `ordered`.

    Of several labels per sample the columns change their places.
    """
    if labels.ndim == 2:
        return labels[:, [names.index(name) for name in ordered]]
    return np.array([ordered.index(name) for name in names], dtype=np.int64)[labels]


def order_notes(names: tuple[str, ...], is_stated: bool) -> tuple[str, ...]:
    """Return a sentence on the order of classes that nobody stated."""
    if is_stated:
        return ()
    start = f"The classes are in the order of the alphabet: {listed(names)}."
    other = tuple(sorted(names, key=_natural_key))
    if other == names:
        return (start,)
    return (
        f"{start} timm orders them otherwise ({listed(other)}): state --classes for a network of timm's.",
    )


def _natural_key(name: str) -> list[tuple[int, str]]:
    """Return timm's key: numbers in names are compared as numbers, and capitals do not count."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name.lower())]


def listed(names: Collection[str]) -> str:
    """Return the names for a message: the first few."""
    first = ", ".join(map(printable, list(names)[:_MOST_NAMED]))
    more = len(names) - _MOST_NAMED
    return f"{first} and {more} more" if more > 0 else first
