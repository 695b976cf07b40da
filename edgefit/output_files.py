"""Files that a command writes in addition to what it prints.

They are checked before the work begins, and written once the content of all of them is ready.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import typer

from edgefit.terminal import Output

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class OutputFile(Generic[_Result]):
    """A file that an option of the command asks for."""

    path: Path | None
    """Where to write it; None if the option is not given."""
    option: str
    """The option, such as --csv."""
    render: Callable[[_Result], str | bytes]
    """Makes the file's content from the command's result."""
    may_replace: Callable[[bytes], bool]
    """Whether a file with this content may be replaced, because edgefit wrote it."""


def refuse_to_replace_any(files: Sequence[OutputFile[_Result]]) -> None:
    """Raise InputError if a file must not be replaced, BadParameter if two options name the same file."""
    from bench.filesystem.whole_files import refuse_to_replace

    requested = [(file, file.path) for file in files if file.path is not None]
    if len({path.resolve() for _, path in requested}) < len(requested):
        options = ", ".join(file.option for file, _ in requested)
        raise typer.BadParameter("two of these name the same file; give each its own", param_hint=options)
    for file, path in requested:
        refuse_to_replace(path, file.may_replace, file.option)


def write_all(files: Sequence[OutputFile[_Result]], result: _Result, output: Output) -> None:
    """Write every requested file and print its path; nothing is written until all content is ready.

    What cannot be written keeps no other file from being written: a result may be minutes of measuring.
    Raises InputError then, which names all such files.
    """
    from bench.errors import InputError
    from bench.filesystem.disk_errors import why_unwritten
    from bench.filesystem.whole_files import write_whole
    from bench.lists_in_words import some_of

    contents = [(file.path, file.render(result)) for file in files if file.path is not None]
    unwritten: dict[str, list[str]] = {}
    for path, content in contents:
        try:
            write_whole(path, content)
        except (OSError, InputError) as error:
            named = os.path.realpath(path)  # as in these errors
            sentence = why_unwritten(error, named) if isinstance(error, OSError) else str(error)
            unwritten.setdefault(sentence.removeprefix(named), []).append(named)
        else:
            output.say(f"written: {path}")
    if unwritten:
        raise InputError("\n".join(some_of(paths) + why for why, paths in unwritten.items()))
