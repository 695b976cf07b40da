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

_MISSING = 3
_CASE_FAILED = 4


def bench(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle that export wrote.")],
    profile: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The device's profile: see edgefit profiles list.")
    ] = "laptop-cpu",
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
        bool, typer.Option("--resume", help="Go on with a run like this one that was cut off.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="Keep the report in this file.")
    ] = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Measure every artifact of a bundle on this machine: latency, memory, size and accuracy."""
    from bench.benchmark import BenchmarkOptions, benchmark
    from bench.bundle import read_bundle
    from bench.files import refuse_to_replace
    from bench.render.terminal import report_view
    from bench.reports.files import to_json, was_a_report, write_report
    from device_profiles.loading import load_profile
    from edgefit.progress import progress

    output = Output(as_json)
    if sustained is not None and not math.isfinite(sustained):
        raise typer.BadParameter(f"'{sustained}' is no number of seconds", param_hint="--sustained")
    if out is not None:
        refuse_to_replace(out, was_a_report, "--out")
    chosen = load_profile(profile)
    opened = read_bundle(bundle)
    options = BenchmarkOptions(
        only=() if only is None else split_names(only),
        quick=quick,
        name=name,
        sustained_s=sustained,
        resume=resume,
    )

    def deliver(report: "Report") -> None:
        if out is not None:
            write_report(out, report)

    with progress() as watcher:
        report = benchmark(opened, chosen, options, watcher, __version__, now(), deliver)
    output.show(report_view(report, output.people.width))
    output.document(to_json(report))
    statuses = [run.status for run in report.runs if run.is_variant]
    if "failed" in statuses:
        raise typer.Exit(_CASE_FAILED)
    if "completed" not in statuses:
        raise typer.Exit(_MISSING)
    output.next_step(
        f"edgefit report {out} --csv report.csv" if out else "add --out report.json to keep this report"
    )
