"""Files that a command writes beside what it prints: refused before the work, written when all are made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import typer

from edgefit.terminal import Output

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Written(Generic[_Result]):
    """A file that can be asked for by `option`; `path`: None if it is not.

    `make` makes its content of the command's result; `was_ours` tells whether what lies there already may be
    replaced by it.
    """

    path: Path | None
    option: str
    make: Callable[[_Result], str | bytes]
    was_ours: Callable[[bytes], bool]


def refuse_to_replace_any(files: Sequence[Written[_Result]]) -> None:
    """Raise InputError if a file cannot be written or holds something else, BadParameter if two are one."""
    from bench.filesystem.whole_files import refuse_to_replace

    asked = [(one, one.path) for one in files if one.path is not None]
    if len({path.resolve() for _, path in asked}) < len(asked):
        options = ", ".join(one.option for one, _ in asked)
        raise typer.BadParameter("give each a file of its own", param_hint=options)
    for one, path in asked:
        refuse_to_replace(path, one.was_ours, one.option)


def write_all(files: Sequence[Written[_Result]], result: _Result, output: Output) -> None:
    """Write what is asked for, and say so; nothing is written before all of it is made."""
    from bench.filesystem.whole_files import write_whole

    made = [(one.path, one.make(result)) for one in files if one.path is not None]
    for path, content in made:
        write_whole(path, content)
        output.say(f"written: {path}")
