"""`edgefit check`: compares a candidate with a baseline, with an exit code for CI. bench/gate decides."""

from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import (
    AsJson,
    Data,
    JudgedOutput,
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

_NEXT_IF_WORSE = "fix it; or, if it is intended, use this candidate as the new baseline"
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
        Path, typer.Option(metavar="BASELINE", help="The model file, bundle or report to compare it with.")
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
            help="The device's profile, unless two reports are compared.",
        ),
    ] = DEFAULT_PROFILE,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="a,b",
            help="Of bundles and reports check only these variants, such as onnx-int8,onnx-fp32.",
        ),
    ] = None,
    max_slowdown: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="The largest slowdown in latency. Default: 5% for model files and bundles, 15% for reports.",
        ),
    ] = None,
    max_growth: Annotated[
        str, typer.Option(metavar="PERCENT", help="The largest growth of a file's size.")
    ] = "1%",
    max_load_slowdown: Annotated[
        str, typer.Option(metavar="PERCENT", help="The largest slowdown in load time.")
    ] = "25%",
    max_memory_growth: Annotated[
        str, typer.Option(metavar="PERCENT", help="The largest growth of peak memory.")
    ] = "5%",
    min_retention: Annotated[
        float,
        typer.Option(
            min=SHARE.low, max=SHARE.high, help="The smallest share of the baseline's accuracy to keep."
        ),
    ] = 0.99,
    min_agreement: Annotated[
        float,
        typer.Option(
            min=SHARE.low,
            max=SHARE.high,
            help="For model files that give classes: the smallest share of inputs with the baseline's class.",
        ),
    ] = 0.97,
    min_sqnr: Annotated[
        float,
        typer.Option(
            metavar="DB",
            min=SQNR_DB.low,
            max=SQNR_DB.high,
            help="For other outputs of model files: the smallest SQNR, with the baseline's as the signal. At "
            "20 dB the error is a tenth.",
        ),
    ] = 20.0,
    seconds: Annotated[
        float,
        typer.Option(
            min=CHECK_S.low,
            max=CHECK_S.high,
            help="How long to time each variant, unless reports are compared. What a decided one leaves, "
            "the others get.",
        ),
    ] = 25.0,
    skip_equal: Annotated[
        bool, typer.Option("--skip-equal", help="Measure nothing whose files are identical.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Block also if something is UNDECIDED.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Markdown for a pull request or a job summary.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML.")] = None,
    bmf: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Bencher Metric Format.")] = None,
    github: Annotated[bool, typer.Option("--github", help="Also print GitHub annotations.")] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Compare a candidate with a baseline. Exit code 10: it is worse; 12: no latency could be compared.

    Two model files, or two bundles, are measured side by side on this machine, so that its drift cancels out.
    Both model files are run with the same inputs, random or --data, and their outputs are compared. Two
    reports are compared relative to their control workload, if they were measured under the same conditions.

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
    )
    inputs = SubjectOptions((), shapes, data, preprocess, judged_output)
    with progress() as watcher:
        checked = check_given(candidate, baseline, inputs, profile, options, watcher)
    output.show(check_view(checked, output.console.width))
    if github:
        for line in to_annotations(checked):
            output.say(line)
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
