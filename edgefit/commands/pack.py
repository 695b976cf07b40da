"""`edgefit pack`: a job as one file for a board without a network. It parses; bench/remote packs."""

import json
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from edgefit import __version__
from edgefit.completion import profiles_like
from edgefit.options import (
    AsJson,
    Name,
    Only,
    Quick,
    Quiet,
    Sustained,
    With,
    now,
    refuse_endless,
    split_names,
)
from edgefit.terminal import Output

_MIB = 1 << 20


def pack(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle that export wrote.")],
    for_: Annotated[
        str,
        typer.Option("--for", metavar="NAME|FILE", autocompletion=profiles_like, help="The board's profile."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.pyz", help="The file to carry.")],
    python: Annotated[
        str | None,
        typer.Option(metavar="3.11,3.13", help="Versions of the board's python3, if not the profile's."),
    ] = None,
    only: Only = None,
    quick: Quick = False,
    sustained: Sustained = None,
    with_: With = None,
    name: Name = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Pack a measurement into one file that runs on a board without any network: python3 FILE.

    \b
    Examples:
      edgefit pack bundle --for raspberry-pi-5 --out job.pyz
    """
    from bench.bundle.manifest import read_bundle
    from bench.filesystem.whole_files import refuse_to_replace
    from bench.remote.job_spec import Asked
    from bench.remote.packing import Packing, was_a_pack, write_pack
    from device_profiles.loading import load_profile
    from edgefit.progress import progress

    output = Output(as_json)
    refuse_endless(sustained)
    refuse_to_replace(out, was_a_pack, "--out")
    opened = read_bundle(bundle)
    asked = Asked(
        bundle=opened,
        only=() if only is None else split_names(only),
        quick=quick,
        name=name,
        sustained_s=sustained,
        with_formats=() if with_ is None else split_names(with_),
        tool=__version__,
        created=now(),
    )
    packing = Packing(asked, load_profile(for_), () if python is None else _versions(python))
    with progress() as watcher:
        systems = write_pack(packing, out, watcher)
    size = out.stat().st_size
    for_which = ", ".join(f"{one.name} (Python {one.python})" for one in systems)
    output.say(f"{out}: {size / _MIB:.0f} MiB, for {for_which}")
    output.say(f"it holds {opened.manifest.pack.images} evaluation images, which may be patients'")
    output.document(
        json.dumps({"file": str(out), "bytes": size, "systems": [one.model_dump() for one in systems]})
    )
    output.next_step(f"carry {out.name} to the board and run there: python3 {shlex.quote(out.name)}")


def _versions(text: str) -> tuple[str, ...]:
    versions = split_names(text)
    for one in versions:
        if not re.fullmatch(r"3\.[0-9]+", one):
            raise typer.BadParameter(f"'{one}' is no version such as 3.11", param_hint="--python")
    return versions
