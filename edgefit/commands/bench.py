"""`edgefit bench`: a bundle and a profile in, a report out. It parses and prints; bench/ does the work."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit import __version__
from edgefit.options import AsJson, Name, now, split_names
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.reports.records import Report
    from device_profiles.profile import Profile

_HERE = "laptop-cpu"
_AUTO = "auto"


def bench(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle that export wrote.")],
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|auto",
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
    only: Annotated[
        str | None,
        typer.Option(metavar="a,b", help="Measure only these variants, such as onnx-int8,onnx-fp32."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer samples, and accuracy on the first 128 images.")
    ] = False,
    sustained: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=1,
            max=86400,
            help="Also run each variant for so long without a pause: drift, settling.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with a run like this one that was cut off; on a board always."),
    ] = False,
    with_: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="torchscript",
            help="Put this runtime on the board though it takes hundreds of megabytes.",
        ),
    ] = None,
    wheelhouse: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Wheels for the board that edgefit wheelhouse has gathered."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="Keep the report in this file.")
    ] = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Measure every artifact of a bundle, here or on boards: latency, memory, size and accuracy."""
    from bench.benchmark import BenchmarkOptions, benchmark
    from bench.bundle import read_bundle
    from bench.files import refuse_to_replace
    from bench.reports.files import to_json, was_a_report, write_report
    from device_profiles.loading import load_profile
    from edgefit.known import known_profiles
    from edgefit.outcome import exit_code_of, say_what_next, show_report
    from edgefit.progress import progress

    output = Output(as_json)
    if sustained is not None and not math.isfinite(sustained):
        raise typer.BadParameter(f"'{sustained}' is no number of seconds", param_hint="--sustained")
    names = () if only is None else split_names(only)
    if on:
        from bench.remote.measuring import Asked
        from bench.remote.targets import parse_targets
        from edgefit.boards import measure_boards

        targets = parse_targets(on)
        asked = Asked(
            bundle=read_bundle(bundle),
            profile=None if profile in (None, _AUTO) else load_profile(profile),
            known=known_profiles(output),
            only=names,
            quick=quick,
            name=name,
            sustained_s=sustained,
            with_formats=() if with_ is None else split_names(with_),
            wheelhouse=wheelhouse,
            tool=__version__,
            created=now(),
        )
        raise typer.Exit(measure_boards(targets, asked, out, output))
    for given, option in ((with_, "--with"), (wheelhouse, "--wheelhouse")):
        if given is not None:
            raise typer.BadParameter("is for boards: add --on ssh://host", param_hint=option)
    if out is not None:
        refuse_to_replace(out, was_a_report, "--out")
    chosen = _detected(output) if profile == _AUTO else load_profile(profile or _HERE)
    opened = read_bundle(bundle)
    options = BenchmarkOptions(only=names, quick=quick, name=name, sustained_s=sustained, resume=resume)

    def deliver(report: "Report") -> None:
        if out is not None:
            write_report(out, report)

    with progress() as watcher:
        report = benchmark(opened, chosen, options, watcher, __version__, now(), deliver)
    show_report(report, output)
    output.document(to_json(report))
    code = exit_code_of(report)
    if not code:
        say_what_next([] if out is None else [out], output)
    raise typer.Exit(code)


def _detected(output: Output) -> "Profile":
    """Return the profile that this machine is; raises InputError if it is none."""
    from bench.machine.host import read_host
    from bench.standing.recognition import profile_that_is
    from edgefit.known import known_profiles

    return profile_that_is(read_host(), known_profiles(output), "this machine")
