"""Refuses names of files and classes that no record can hold or no output can show."""

import os
from collections import Counter
from collections.abc import Sequence

from models.errors import InputError
from user_files.names import why_no_name
from user_files.path_names import why_unwritable
from user_files.printable import printable


def check_path(path: str | os.PathLike[str], option: str) -> None:
    """Raise InputError if no record can name what is at a path that an option gives."""
    if (reason := why_unwritable(path)) is not None:
        raise InputError(f"{option} '{printable(str(path))}': {reason}")


def check_name(name: str, noun: str) -> None:
    """Raise InputError for a name of a class, a column or an image that is none."""
    if (fault := why_no_name(name)) is not None:
        raise InputError(f"{noun} '{printable(name)}': {fault}; rename it")


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
