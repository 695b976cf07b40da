"""`edgefit wheelhouse`: downloads wheels for a board into a folder. It parses; bench/remote downloads."""

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.options import AsJson, Overwrite, Quiet, split_names
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.remote.wheels import Platform


def wheelhouse(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to which the wheels are downloaded.")],
    on: Annotated[
        str | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="Connect to this board to read the values of --python, --glibc and --machine.",
        ),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="3.11", help="The Python version of the board (python3 --version).")
    ] = None,
    glibc: Annotated[
        str, typer.Option(metavar="2.36", help="The version of the board's C library (ldd --version).")
    ] = "2.35",
    machine: Annotated[
        str,
        typer.Option(
            metavar="aarch64|x86_64", help="The board's processor architecture, as uname -m prints it."
        ),
    ] = "aarch64",
    formats: Annotated[
        str | None,
        typer.Option(
            metavar="a,b",
            help="The formats whose runtimes are downloaded.",
            show_default="all but those whose runtime takes hundreds of megabytes",
        ),
    ] = None,
    overwrite: Overwrite = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Download the wheels that a board needs, to use offline with edgefit bench --wheelhouse DIR.

    \b
    Examples:
      edgefit wheelhouse --out wheels --python 3.11
      edgefit wheelhouse --out wheels --on ssh://pi@raspberrypi.local
    """
    from bench.remote.job_spec import Selection
    from bench.remote.wheelhouse import fill_wheelhouse
    from bench.runtimes.formats import FORMATS
    from bench.units import mib
    from edgefit.progress import progress

    output = Output(as_json)
    small = tuple(name for name, row in FORMATS.items() if not row.is_large)
    names = small if formats is None else split_names(formats)
    for name in names:
        if name not in FORMATS:
            raise typer.BadParameter(
                f"'{name}' is not a format; choose from {', '.join(FORMATS)}", param_hint="--formats"
            )
    platform, has_system_runtimes = _platform(on, python, glibc, machine)
    selection = Selection(formats=names, from_system=(), excluded={})
    with progress() as watcher:
        filled = fill_wheelhouse(out, platform, selection, has_system_runtimes, overwrite, watcher)
    total = sum((out / name).stat().st_size for name in filled.wheels)
    output.say(f"{out}: {len(filled.wheels)} wheels for {platform.label}, {mib(total):.0f} MiB")
    output.document(json.dumps({"folder": str(out), **filled.model_dump()}))
    folder = shlex.quote(str(out))
    output.next_step(f"edgefit bench BUNDLE --on {on or 'ssh://…'} --wheelhouse {folder}")


def _platform(on: str | None, python: str | None, glibc: str, machine: str) -> "tuple[Platform, bool]":
    """Return the board's platform, and whether the runtimes there are packages of its system."""
    from bench.remote.board import probe_board
    from bench.remote.job_spec import platform_of
    from bench.remote.targets import parse_target
    from bench.remote.wheels import Platform

    if on is not None:
        probe = probe_board(parse_target(on))
        probe.refuse_unusable()
        return platform_of(probe), probe.uses_system_packages
    if python is None:
        raise typer.BadParameter(
            "the version of the board's Python is not known; add --python 3.11, for example, or --on with the"
            " board's address",
            param_hint="--python",
        )
    for value, pattern, example, option in (
        (python, r"3\.[0-9]+", "a version such as 3.11", "--python"),
        (glibc, r"2\.[0-9]+", "a version such as 2.36", "--glibc"),
        (machine, r"aarch64|x86_64", "aarch64 or x86_64", "--machine"),
    ):
        if not re.fullmatch(pattern, value):
            raise typer.BadParameter(f"'{value}' is not valid; write {example}", param_hint=option)
    return Platform(python, glibc, machine), False
