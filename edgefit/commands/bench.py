"""`edgefit bench`: reads model files or a bundle, and a profile; writes a report. bench/ measures."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.bundle.model_suffixes import NAMED_SUFFIXES
from edgefit import __version__
from edgefit.options import (
    AsJson,
    Data,
    JudgedOutput,
    KeepEnvironment,
    MetricNames,
    Name,
    Only,
    Preprocess,
    Quick,
    Quiet,
    Seconds,
    Shape,
    Sustained,
    Wheelhouse,
    With,
    parse_shapes,
    refuse_for_this_machine,
    split_names,
)
from edgefit.profiles import complete_profile_name
from edgefit.report_output import exit_code_of, show_next_step, show_report
from edgefit.terminal import Output
from edgefit.values import DEFAULT_PROFILE, now

if TYPE_CHECKING:
    from bench.report.schema import Report


def bench(
    subjects: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...|BUNDLE",
            help=f"Model files ({NAMED_SUFFIXES}), or a bundle that edgefit export wrote.",
        ),
    ],
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|auto",
            autocompletion=complete_profile_name,
            help="The device's profile; see edgefit profiles list. auto: the profile that the "
            "machine matches. "
            f"Default: {DEFAULT_PROFILE}; with --on: auto.",
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="Measure on this board, over SSH. Repeat the option to measure several boards "
            "at the same time.",
        ),
    ] = None,
    only: Only = None,
    shape: Shape = None,
    data: Data = None,
    preprocess: Preprocess = None,
    judged_output: JudgedOutput = None,
    metric: MetricNames = None,
    quick: Quick = False,
    seconds: Seconds = None,
    sustained: Sustained = None,
    keep_environment: KeepEnvironment = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted run that had the same options. A run on a board always resumes.",
        ),
    ] = False,
    with_: With = None,
    wheelhouse: Wheelhouse = None,
    out: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="Write the report, as JSON, to this file.")
    ] = None,
    name: Name = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure latency, memory and size of model files, or of every variant in a bundle with its accuracy.

    Model files are run with random inputs, or with --data. Several files are measured together, in turn, and
    their outputs are compared with those of the first.

    \b
    Examples:
      edgefit bench model.onnx
      edgefit bench model.onnx model-int8.onnx --shape images:1x3x224x224
      edgefit bench model.onnx model-int8.onnx --data photos --preprocess imagenet
      edgefit bench bundle --out report.json
      edgefit bench bundle --profile raspberry-pi-5 --only onnx-int8,onnx-fp32
      edgefit bench model.onnx --on ssh://pi@raspberrypi.local
      edgefit bench bundle --on ssh://pi@raspberrypi.local --out report.json
    """
    from bench.report.files import to_json
    from bench.run.request import BenchmarkRequest
    from edgefit.jobs import measure
    from edgefit.metrics import metrics_of, try_metrics
    from edgefit.progress import progress
    from edgefit.subjects import SubjectOptions

    output = Output(as_json)
    request = BenchmarkRequest(
        only=() if only is None else split_names(only),
        quick=quick,
        seconds=seconds,
        name=name,
        sustained_s=sustained,
        resume=resume,
        keep_environment=keep_environment,
        tool=__version__,
        created=now(),
    )
    metrics = metrics_of(metric or ())
    shapes = {} if shape is None else parse_shapes(shape)
    inputs = SubjectOptions(request.only, shapes, data, preprocess, judged_output)
    if on:
        from bench.remote.targets import parse_targets
        from edgefit.boards import (
            board_request,
            measure_boards,
            opened_for_boards,
            report_paths,
            stated_profile,
        )

        targets = parse_targets(on)
        formats = () if with_ is None else split_names(with_)
        paths, device = report_paths(targets, out), stated_profile(profile)
        with opened_for_boards(subjects, inputs) as subject:
            try_metrics(metrics, subject)
            on_boards = board_request(subject, request, device, formats, wheelhouse, output)
            code = measure_boards(targets, on_boards, paths, output, metrics)
        raise typer.Exit(code)
    refuse_for_this_machine(with_, wheelhouse)
    with ExitStack() as display:
        watcher = display.enter_context(progress())

        def show(report: "Report") -> None:
            display.close()
            show_report(report, output)
            output.document(to_json(report))
            output.flush()

        profile = profile or DEFAULT_PROFILE
        report = measure(subjects, profile, inputs, request, out, watcher, metrics, show)
    if out is not None:
        show(report)
    if code := exit_code_of(report):
        raise typer.Exit(code)
    show_next_step([] if out is None else [out], output)
