"""`edgefit compare`: measures networks together, and shows them side by side. bench/compare compares."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit import __version__
from edgefit.extras import require_extra
from edgefit.options import (
    AsJson,
    Data,
    JudgedOutput,
    KeepEnvironment,
    Only,
    Overwrite,
    Preprocess,
    Quick,
    Quiet,
    Seconds,
    Shape,
    Wheelhouse,
    With,
    parse_shapes,
    refuse_for_this_machine,
    split_names,
)
from edgefit.output_files import OutputFile, refuse_to_replace_any, write_all
from edgefit.profiles import complete_profile_name
from edgefit.report_output import exit_code_of
from edgefit.terminal import Output
from edgefit.values import DEFAULT_PROFILE, now

if TYPE_CHECKING:
    from edgefit.networks import ComparedNetworks

_NEXT_IF_NOTHING = "give networks that have the same variants, and variants that run here"


def compare(
    subjects: Annotated[
        list[Path],
        typer.Argument(
            metavar="BUNDLE|RUN|MODEL...",
            help="Two or more bundles, run folders and model files; or a folder that --out wrote, to show it "
            "again.",
        ),
    ],
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The network that the others are compared with, or one of its rows, such as "
            "resnet/onnx-fp32. Default: the first network.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|auto",
            autocompletion=complete_profile_name,
            help="The device's profile; see edgefit profiles list. auto: the profile that the "
            f"machine matches. Default: {DEFAULT_PROFILE}; with --on: auto.",
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="Measure on this board, over SSH, in the place of this machine.",
        ),
    ] = None,
    only: Only = None,
    shape: Shape = None,
    data: Data = None,
    preprocess: Preprocess = None,
    judged_output: JudgedOutput = None,
    quick: Quick = False,
    seconds: Seconds = None,
    keep_environment: KeepEnvironment = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted comparison that had the same options. A board always resumes.",
        ),
    ] = False,
    with_: With = None,
    wheelhouse: Wheelhouse = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a report for each network, and the comparison, to this folder.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write one self-contained HTML page: the comparison, charts, all rows."
        ),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Markdown for a pull request.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a line for each row as CSV: every figure, unrounded."),
    ] = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure networks together and show them side by side: size, latency, memory, accuracy.

    The files of all networks take turns on this machine, or on a board, so that drift of its speed cancels
    out. Each is compared with the same variant of the baseline. A run folder is exported for the comparison
    alone, as onnx-fp32, or as the variants that --only names.
    Exit code 12: no latency could be compared.

    \b
    Examples:
      edgefit compare resnet mobilenet
      edgefit compare resnet mobilenet --only onnx-fp32,onnx-int8 --out comparison
      edgefit compare old.onnx new.onnx --shape images:1x3x224x224
      edgefit compare resnet mobilenet --baseline resnet/onnx-fp32 --html comparison.html
      edgefit compare resnet mobilenet --on ssh://pi@raspberrypi.local
      edgefit compare comparison --markdown comparison.md --csv comparison.csv
    """
    from bench.render.comparison_csv import comparison_to_csv, was_comparison_csv
    from bench.render.comparison_markdown import comparison_to_markdown, was_comparison_markdown
    from bench.run.request import BenchmarkRequest
    from edgefit import jobs
    from edgefit.progress import progress
    from edgefit.subjects import SubjectOptions

    output = Output(as_json)
    files: list[OutputFile[ComparedNetworks]] = [
        OutputFile(
            markdown,
            "--markdown",
            lambda compared: comparison_to_markdown(compared.comparison, compared.reports),
            was_comparison_markdown,
        ),
        OutputFile(csv, "--csv", lambda compared: comparison_to_csv(compared.comparison), was_comparison_csv),
        *_page(html),
    ]
    refuse_to_replace_any(files)
    request = BenchmarkRequest(
        only=() if only is None else split_names(only),
        quick=quick,
        seconds=seconds,
        resume=resume,
        keep_environment=keep_environment,
        tool=__version__,
        created=now(),
    )
    shapes = {} if shape is None else parse_shapes(shape)
    inputs = SubjectOptions(request.only, shapes, data, preprocess, judged_output)
    shown: list[ComparedNetworks] = []

    def show(compared: "ComparedNetworks") -> None:
        _show(compared, output)
        write_all(files, compared, output)
        output.flush()
        shown.append(compared)

    if on:
        from edgefit.compared_boards import BoardOptions, compare_on_board, one_target

        formats = () if with_ is None else split_names(with_)
        board = BoardOptions(one_target(on), profile, formats, wheelhouse)
        compare_on_board(subjects, board, inputs, request, baseline, out, overwrite, output, show)
    else:
        refuse_for_this_machine(with_, wheelhouse)
        with ExitStack() as display:
            watcher = display.enter_context(progress())

            def show_here(compared: "ComparedNetworks") -> None:
                display.close()
                show(compared)

            profile = profile or DEFAULT_PROFILE
            compared = jobs.compare(
                subjects, profile, inputs, request, baseline, out, overwrite, watcher, show_here
            )
        if not shown:
            show(compared)
    _end(shown[0], out, output)


def _page(html: Path | None) -> "list[OutputFile[ComparedNetworks]]":
    if html is None:
        return []
    require_extra("report", "edgefit compare --html")
    from bench.render.html.page import to_html, was_html

    def page(compared: "ComparedNetworks") -> str:
        return to_html(compared.reports, (), comparison=compared.comparison)

    return [OutputFile(html, "--html", page, was_html)]


def _show(compared: "ComparedNetworks", output: Output) -> None:
    from bench.render.comparison_view import comparison_view

    output.show(comparison_view(compared.comparison, compared.reports, output.console.width))
    output.document(compared.comparison.model_dump_json(by_alias=True))


def _end(compared: "ComparedNetworks", out: Path | None, output: Output) -> None:
    """End with the exit code of the comparison, or say what to do next."""
    for report in compared.reports:
        if code := exit_code_of(report):
            raise typer.Exit(code)
    if code := compared.comparison.exit_code:
        output.next_step(_NEXT_IF_NOTHING)
        raise typer.Exit(code)
    if out is not None:
        output.say(f"written: {out}")
        output.next_step(f"edgefit compare {out} --html comparison.html")
