"""`edgefit bench`: a bundle and a profile in, a report out. It parses and prints; bench/ does the work."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit import __version__
from edgefit.completion import profiles_like
from edgefit.options import (
    AUTO,
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
from edgefit.outcome import exit_code_of, say_what_next, show_report
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.report.schema import Report
    from bench.run.benchmark import BenchmarkOptions
    from device_profiles.profile import Profile

_HERE = "laptop-cpu"


def bench(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle that export wrote.")],
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|auto",
            autocompletion=profiles_like,
            help="The device's profile: see edgefit profiles list. auto: the one that the machine is, as --on"
            f" takes if none is given; else {_HERE}.",
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="Measure on this board instead; several of them are measured side by side.",
        ),
    ] = None,
    only: Only = None,
    quick: Quick = False,
    sustained: Sustained = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with a run like this one that was cut off; on a board always."),
    ] = False,
    with_: With = None,
    wheelhouse: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Wheels for the board that edgefit wheelhouse has gathered."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="Keep the report in this file.")
    ] = None,
    name: Name = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure every artifact of a bundle, here or on boards: latency, memory, size and accuracy.

    \b
    Examples:
      edgefit bench bundle --out report.json
      edgefit bench bundle --profile raspberry-pi-5 --only onnx-int8,onnx-fp32
      edgefit bench bundle --on ssh://pi@raspberrypi.local --out report.json
    """
    from bench.bundle.manifest import read_bundle
    from bench.run.benchmark import BenchmarkOptions

    output = Output(as_json)
    refuse_endless(sustained)
    names = () if only is None else split_names(only)
    options = BenchmarkOptions(only=names, quick=quick, name=name, sustained_s=sustained, resume=resume)
    if on:
        from edgefit.boards import measure_boards

        formats = () if with_ is None else split_names(with_)
        raise typer.Exit(
            measure_boards(on, read_bundle(bundle), profile, options, formats, wheelhouse, out, output)
        )
    for given, option in ((with_, "--with"), (wheelhouse, "--wheelhouse")):
        if given is not None:
            raise typer.BadParameter("is for boards: add --on ssh://host", param_hint=option)
    raise typer.Exit(_measure_here(bundle, profile or _HERE, options, out, output))


def _measure_here(
    folder: Path, profile: str, options: "BenchmarkOptions", out: Path | None, output: Output
) -> int:
    """Measure on this machine; show the report, keep it in `out`, and return the exit code."""
    from bench.bundle.manifest import read_bundle
    from bench.filesystem.whole_files import refuse_to_replace
    from bench.report.files import to_json, was_a_report, write_report
    from bench.run.benchmark import benchmark
    from device_profiles.loading import load_profile
    from edgefit.progress import progress

    if out is not None:
        refuse_to_replace(out, was_a_report, "--out")
    chosen = _detected(output) if profile == AUTO else load_profile(profile)
    bundle = read_bundle(folder)

    def on_report(report: "Report") -> None:
        if out is not None:
            write_report(out, report)

    with progress() as watcher:
        report = benchmark(bundle, chosen, options, watcher, __version__, now(), on_report)
    show_report(report, output)
    output.document(to_json(report))
    code = exit_code_of(report)
    if not code:
        say_what_next([] if out is None else [out], output)
    return code


def _detected(output: Output) -> "Profile":
    """Return the profile that this machine is; raises InputError if it is none."""
    from bench.devices.matching import profile_that_is
    from bench.system.host import read_host
    from edgefit.known import known_profiles

    return profile_that_is(read_host(), known_profiles(output), "this machine")
