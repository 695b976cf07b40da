"""`edgefit bench`: reads a bundle and a profile, writes a report. It parses and prints; bench/ measures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit import __version__
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
from edgefit.profiles import complete_profile_name
from edgefit.report_output import exit_code_of, show_next_step, show_report
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.report.schema import Report
    from bench.run.request import BenchmarkRequest
    from device_profiles.profile import Profile

_DEFAULT_PROFILE = "laptop-cpu"


def bench(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle that edgefit export wrote.")],
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|auto",
            autocompletion=complete_profile_name,
            help="The device's profile; see edgefit profiles list. auto: the one that the machine matches. "
            f"Default: {_DEFAULT_PROFILE}; with --on: auto.",
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="Measure on this board. Repeat the option to measure several boards at the same time.",
        ),
    ] = None,
    only: Only = None,
    quick: Quick = False,
    sustained: Sustained = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume an interrupted run with the same options. A run on a board always resumes.",
        ),
    ] = False,
    with_: With = None,
    wheelhouse: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Install the board's packages from this folder, which edgefit wheelhouse wrote.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="Write the report to this file.")
    ] = None,
    name: Name = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure latency, memory, size and accuracy of every variant in a bundle, here or on boards.

    \b
    Examples:
      edgefit bench bundle --out report.json
      edgefit bench bundle --profile raspberry-pi-5 --only onnx-int8,onnx-fp32
      edgefit bench bundle --on ssh://pi@raspberrypi.local --out report.json
    """
    from bench.bundle.manifest import read_bundle
    from bench.run.request import BenchmarkRequest

    output = Output(as_json)
    refuse_endless(sustained)
    request = BenchmarkRequest(
        only=() if only is None else split_names(only),
        quick=quick,
        name=name,
        sustained_s=sustained,
        resume=resume,
        tool=__version__,
        created=now(),
    )
    if on:
        from bench.remote.targets import parse_targets
        from edgefit.boards import board_request, measure_boards

        targets = parse_targets(on)
        formats = () if with_ is None else split_names(with_)
        on_boards = board_request(read_bundle(bundle), request, profile, formats, wheelhouse, output)
        raise typer.Exit(measure_boards(targets, on_boards, out, output))
    for value, option in ((with_, "--with"), (wheelhouse, "--wheelhouse")):
        if value is not None:
            raise typer.BadParameter("it applies to boards only; add --on ssh://host", param_hint=option)
    raise typer.Exit(_measure_here(bundle, profile or _DEFAULT_PROFILE, request, out, output))


def _measure_here(
    folder: Path, profile: str, request: "BenchmarkRequest", out: Path | None, output: Output
) -> int:
    """Measure on this machine, print the report, write it to `out`, and return the exit code."""
    from bench.bundle.manifest import read_bundle
    from bench.filesystem.whole_files import refuse_to_replace
    from bench.report.files import to_json, was_a_report, write_report
    from bench.run.benchmark import benchmark
    from bench.runtimes.profile_names import load_checked_profile
    from edgefit.progress import progress

    if out is not None:
        refuse_to_replace(out, was_a_report, "--out")
    device = _detected(output) if profile == AUTO else load_checked_profile(profile)
    bundle = read_bundle(folder)

    def on_report(report: "Report") -> None:
        if out is not None:
            write_report(out, report)

    with progress() as watcher:
        report = benchmark(bundle, device, request, watcher, on_report)
    show_report(report, output)
    output.document(to_json(report))
    code = exit_code_of(report)
    if not code:
        show_next_step([] if out is None else [out], output)
    return code


def _detected(output: Output) -> "Profile":
    """Return the profile that this machine matches; raises InputError if there is none."""
    from bench.devices.matching import profile_that_is
    from bench.system.host import read_host
    from edgefit.profiles import named_profiles

    return profile_that_is(read_host(), named_profiles(output), "this machine")
