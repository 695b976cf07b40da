"""`edgefit check`: compares a candidate with a baseline, with an exit code for CI. bench/gate decides."""

from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import (
    AsJson,
    Data,
    JudgedOutput,
    KeepEnvironment,
    Preprocess,
    Quiet,
    Shape,
    parse_shapes,
    parse_share,
    split_names,
)
from edgefit.output_files import OutputFile, refuse_to_replace_any, write_all
from edgefit.profiles import complete_profile_name
from edgefit.terminal import Output
from edgefit.values import CHECK_S, DEFAULT_PROFILE, SHARE, SQNR_DB

_NEXT_IF_WORSE = "if it is intended, use this candidate as the new baseline"
_NEXT_IF_NOTHING = {
    "reports": "give two bundles instead of two reports; edgefit measures them side by side",
    "bundles": "check variants that are in both bundles and that run here; the findings say what is missing",
    "models": "check two model files that run here; the findings say what is missing",
}


def check(
    context: typer.Context,
    candidate: Annotated[
        Path,
        typer.Argument(metavar="CANDIDATE", help="The model file, bundle or report to check."),
    ],
    baseline: Annotated[
        Path,
        typer.Option(
            metavar="BASELINE",
            help="The older model file, bundle or report that the candidate is compared with.",
        ),
    ],
    shape: Shape = None,
    data: Data = None,
    preprocess: Preprocess = None,
    judged_output: JudgedOutput = None,
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            autocompletion=complete_profile_name,
            help="The profile of the device. Not used for two reports: a report contains its profile.",
        ),
    ] = DEFAULT_PROFILE,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="a,b",
            help="Check only these variants of the bundles or reports, such as onnx-int8,onnx-fp32.",
        ),
    ] = None,
    max_slowdown: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="The maximum allowed slowdown in latency. Default: 5% for model files and bundles, "
            "15% for reports.",
        ),
    ] = None,
    max_growth: Annotated[
        str, typer.Option(metavar="PERCENT", help="The maximum allowed growth of a model file's size.")
    ] = "1%",
    max_load_slowdown: Annotated[
        str, typer.Option(metavar="PERCENT", help="The maximum allowed slowdown in load time.")
    ] = "25%",
    max_memory_growth: Annotated[
        str, typer.Option(metavar="PERCENT", help="The maximum allowed growth of peak memory.")
    ] = "5%",
    min_retention: Annotated[
        float,
        typer.Option(
            min=SHARE.low, max=SHARE.high, help="The minimum accuracy, as a share of the baseline's accuracy."
        ),
    ] = 0.99,
    min_agreement: Annotated[
        float,
        typer.Option(
            min=SHARE.low,
            max=SHARE.high,
            help="The minimum top-1 agreement with the baseline: of model files to pass, of labelled "
            "bundles to be BETTER.",
        ),
    ] = 0.97,
    min_sqnr: Annotated[
        float,
        typer.Option(
            metavar="DB",
            min=SQNR_DB.low,
            max=SQNR_DB.high,
            help="For model files that are not classifiers: the minimum SQNR relative to the "
            "baseline's outputs, "
            "in dB. At 20 dB the error is a tenth.",
        ),
    ] = 20.0,
    seconds: Annotated[
        float,
        typer.Option(
            min=CHECK_S.low,
            max=CHECK_S.high,
            help="How many seconds to time each model file or variant; not for two reports. Undecided "
            "variants get what decided ones leave.",
        ),
    ] = 25.0,
    skip_equal: Annotated[
        bool,
        typer.Option(
            "--skip-equal",
            help="Do not measure variants whose files are identical in candidate and baseline.",
        ),
    ] = False,
    keep_environment: KeepEnvironment = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Also fail (exit code 10) if a finding is UNDECIDED.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Markdown for a pull request or a job summary.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the findings as JUnit XML.")
    ] = None,
    bmf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results in Bencher Metric Format (JSON).")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Also print the findings as GitHub Actions annotations.")
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Compare a candidate with a baseline. Exit code 10: the candidate is worse; 12: no comparable latency.

    Two model files or two bundles are measured in alternation on this machine, so that drift of its speed
    cancels out. Both model files get the same inputs, random or from --data, and their outputs are compared.
    Two reports are compared as far as their conditions agree, latencies relative to their control workloads.

    \b
    Examples:
      edgefit check new.onnx --baseline old.onnx
      edgefit check candidate --baseline bundle
      edgefit check candidate --baseline bundle --max-slowdown 3% --markdown check.md
      edgefit check new.json --baseline old.json --strict
    """
    from bench.gate.blocking import BLOCKED
    from bench.gate.options import DEFAULT_SLOWDOWN, CheckOptions, Limits
    from bench.render.bmf import check_to_bmf, was_check_bmf
    from bench.render.github import to_annotations
    from bench.render.junit import check_to_junit, was_check_junit
    from bench.render.markdown import check_to_markdown, was_check_markdown
    from bench.render.terminal import check_view
    from edgefit.jobs import check as check_given
    from edgefit.jobs import compared_kind, refuse_foreign
    from edgefit.progress import progress
    from edgefit.subjects import SubjectOptions

    output = Output(as_json)
    files = (
        OutputFile(markdown, "--markdown", check_to_markdown, was_check_markdown),
        OutputFile(junit, "--junit", check_to_junit, was_check_junit),
        OutputFile(bmf, "--bmf", check_to_bmf, was_check_bmf),
    )
    refuse_to_replace_any(files)
    kind = compared_kind(candidate, baseline)
    refuse_foreign(_given(context), kind)
    shapes = {} if shape is None else parse_shapes(shape)
    slowdown = DEFAULT_SLOWDOWN[kind] if max_slowdown is None else parse_share(max_slowdown, "--max-slowdown")
    options = CheckOptions(
        only=() if only is None else split_names(only),
        limits=Limits(
            max_slowdown=slowdown,
            max_load_slowdown=parse_share(max_load_slowdown, "--max-load-slowdown"),
            max_memory_growth=parse_share(max_memory_growth, "--max-memory-growth"),
            max_growth=parse_share(max_growth, "--max-growth"),
            min_retention=min_retention,
            min_agreement=min_agreement,
            min_sqnr_db=min_sqnr,
            judged_output=judged_output,
        ),
        seconds=seconds,
        skip_equal=skip_equal,
        strict=strict,
        keep_environment=keep_environment,
    )
    inputs = SubjectOptions((), shapes, data, preprocess, judged_output)
    with progress() as watcher:
        checked = check_given(candidate, baseline, inputs, profile, options, watcher)
    output.show(check_view(checked, output.console.width))
    if github:
        for line in to_annotations(checked):
            output.command(line)
    write_all(files, checked, output)
    output.document(checked.model_dump_json(by_alias=True))
    if checked.exit_code:
        is_worse = checked.exit_code == BLOCKED
        output.next_step(_NEXT_IF_WORSE if is_worse else _NEXT_IF_NOTHING[checked.compared])
        raise typer.Exit(checked.exit_code)


def _given(context: typer.Context) -> list[str]:
    """Return the names of the options that were typed."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
