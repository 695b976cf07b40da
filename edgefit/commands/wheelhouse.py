"""`edgefit wheelhouse`: gathers wheels for a board into a folder. It parses; bench/remote gathers."""

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.options import AsJson, Overwrite, Quiet, split_names
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.remote.wheels import Place

_MIB = 1 << 20


def wheelhouse(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder for the wheels.")],
    on: Annotated[
        str | None,
        typer.Option(metavar="ssh://[user@]host[:port]", help="Look at this board for what follows."),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="3.11", help="The version of the board's python3.")
    ] = None,
    glibc: Annotated[
        str, typer.Option(metavar="2.36", help="The version of its C library (ldd --version).")
    ] = "2.35",
    machine: Annotated[
        str, typer.Option(metavar="aarch64|x86_64", help="Its processor, as uname -m says.")
    ] = "aarch64",
    formats: Annotated[
        str, typer.Option(metavar="a,b", help="The formats whose runtimes are wanted.")
    ] = "onnx,openvino",
    overwrite: Overwrite = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Gather the wheels that a board needs, for where no network is: then edgefit bench --wheelhouse DIR.

    \b
    Examples:
      edgefit wheelhouse --out wheels --python 3.11
      edgefit wheelhouse --out wheels --on ssh://pi@raspberrypi.local
    """
    from bench.remote.job_spec import Selection
    from bench.remote.wheelhouse import fill_wheelhouse
    from bench.runtimes.table import RUNTIMES
    from edgefit.progress import progress

    output = Output(as_json)
    names = split_names(formats)
    for name in names:
        if name not in RUNTIMES:
            raise typer.BadParameter(
                f"'{name}' is no format; there are {', '.join(RUNTIMES)}", param_hint="--formats"
            )
    place, has_own = _place(on, python, glibc, machine)
    with progress() as watcher:
        held = fill_wheelhouse(out, place, Selection(names, (), {}), has_own, overwrite, watcher)
    total = sum((out / name).stat().st_size for name in held.wheels)
    output.say(f"{out}: {len(held.wheels)} wheels for {place.words}, {total / _MIB:.0f} MiB")
    output.document(json.dumps({"folder": str(out), **held.model_dump()}))
    folder = shlex.quote(str(out))
    output.next_step(f"edgefit bench BUNDLE --on {on or 'ssh://…'} --wheelhouse {folder}")


def _place(on: str | None, python: str | None, glibc: str, machine: str) -> "tuple[Place, bool]":
    """Return where the wheels are to run, and whether the runtimes there are packages of its system."""
    from bench.remote.job_spec import place_of
    from bench.remote.targets import parse_target
    from bench.remote.visits import look_at
    from bench.remote.wheels import Place

    if on is not None:
        found = look_at(parse_target(on))
        found.refuse_unusable()
        return place_of(found), found.uses_system_packages
    if python is None:
        raise typer.BadParameter(
            "say which Python the board has (3.11, say), or let --on look at it", param_hint="--python"
        )
    for value, pattern, option in (
        (python, r"3\.[0-9]+", "--python"),
        (glibc, r"2\.[0-9]+", "--glibc"),
        (machine, r"aarch64|x86_64", "--machine"),
    ):
        if not re.fullmatch(pattern, value):
            raise typer.BadParameter(f"'{value}' cannot be; it looks like {pattern}", param_hint=option)
    return Place(python, glibc, machine), False
