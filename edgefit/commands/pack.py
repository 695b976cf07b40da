"""`edgefit pack`: a measurement as one file for a board without a network. It parses; bench/remote packs."""

import json
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from bench.bundle.model_suffixes import NAMED_SUFFIXES
from edgefit import __version__
from edgefit.options import (
    AsJson,
    Data,
    JudgedOutput,
    Name,
    Only,
    Preprocess,
    Quick,
    Quiet,
    Seconds,
    Shape,
    Sustained,
    With,
    parse_shapes,
    split_names,
)
from edgefit.profiles import complete_profile_name
from edgefit.terminal import Output
from edgefit.values import now


def pack(
    subjects: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...|BUNDLE",
            help=f"Model files ({NAMED_SUFFIXES}), or a bundle that edgefit export wrote.",
        ),
    ],
    for_: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="NAME|FILE",
            autocompletion=complete_profile_name,
            help="The device profile of the board.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FILE.pyz", help="The packed file to write, which the board's python3 runs."),
    ],
    python: Annotated[
        str | None,
        typer.Option(
            metavar="3.11,3.13", help="The Python versions of the boards. Default: those in the profile."
        ),
    ] = None,
    only: Only = None,
    shape: Shape = None,
    data: Data = None,
    preprocess: Preprocess = None,
    judged_output: JudgedOutput = None,
    quick: Quick = False,
    seconds: Seconds = None,
    sustained: Sustained = None,
    with_: With = None,
    name: Name = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Pack a measurement into one file for a board that SSH cannot reach; run it there: python3 FILE.

    \b
    Examples:
      edgefit pack bundle --for raspberry-pi-5 --out job.pyz
      edgefit pack model.onnx --for raspberry-pi-5 --out job.pyz
    """
    from bench.filesystem.whole_files import refuse_to_replace
    from bench.remote.job_files import personal_content
    from bench.remote.packing import PackRequest, was_a_pack, write_pack
    from bench.run.request import BenchmarkRequest
    from bench.runtimes.profile_names import load_checked_profile
    from bench.units import mib
    from edgefit.boards import opened_for_boards
    from edgefit.progress import progress
    from edgefit.subjects import SubjectOptions

    output = Output(as_json)
    refuse_to_replace(out, was_a_pack, "--out")
    benchmark = BenchmarkRequest(
        only=() if only is None else split_names(only),
        quick=quick,
        seconds=seconds,
        name=name,
        sustained_s=sustained,
        tool=__version__,
        created=now(),
    )
    shapes = {} if shape is None else parse_shapes(shape)
    options = SubjectOptions(benchmark.only, shapes, data, preprocess, judged_output)
    device = load_checked_profile(for_)
    with_formats = () if with_ is None else split_names(with_)
    pythons = () if python is None else _versions(python)
    with opened_for_boards(subjects, options) as subject:
        request = PackRequest(
            subject=subject,
            benchmark=benchmark,
            profile=device,
            with_formats=with_formats,
            pythons=pythons,
        )
        with progress() as watcher:
            systems = write_pack(request, out, watcher)
    size_bytes = out.stat().st_size
    names = ", ".join(f"{system.name} (Python {system.python})" for system in systems)
    output.say(f"{out}: {mib(size_bytes):.0f} MiB, for {names}")
    if personal := personal_content(request.subject):
        output.say(f"this file contains {personal}, which may show patients")
    described = [system.model_dump() for system in systems]
    output.document(json.dumps({"file": str(out), "bytes": size_bytes, "systems": described}))
    output.next_step(f"carry {out.name} to the board and run there: python3 {shlex.quote(out.name)}")


def _versions(text: str) -> tuple[str, ...]:
    versions = split_names(text)
    for version in versions:
        if not re.fullmatch(r"3\.[0-9]+", version):
            raise typer.BadParameter(
                f"'{version}' is not a version of Python 3; write one such as 3.11", param_hint="--python"
            )
    return versions
