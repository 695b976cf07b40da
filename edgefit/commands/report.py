"""`edgefit report`: shows reports as tables, a page, Markdown, CSV or a picture. bench/render draws."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.extras import require_extra
from edgefit.options import AsJson, MetricNames, Quiet
from edgefit.output_files import OutputFile, refuse_to_replace_any, write_all
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.choose.choosing import Choice
    from bench.render.html.page import Thumbnail
    from bench.report.schema import Report


def report(
    reports: Annotated[
        list[Path], typer.Argument(metavar="REPORT.json…", help="Reports that edgefit bench wrote.")
    ],
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write one self-contained HTML page: chosen variants, charts, all rows."
        ),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Markdown for a pull request.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all rows and columns of the table as CSV.")
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a PNG chart of latency against accuracy; for model files against size.",
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML, with one test case for each row.")
    ] = None,
    bmf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results in Bencher Metric Format (JSON).")
    ] = None,
    history: Annotated[
        bool,
        typer.Option(
            "--history",
            help="Show how the results of reports with the same name changed over time; also in --html.",
        ),
    ] = False,
    images: Annotated[
        bool,
        typer.Option(
            "--images",
            help="For --html: include the images whose predicted class changed; they may show patients.",
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Derive again all that can be derived, compare it with the report, and name each mismatch. "
            "Nothing else is shown; the exit code is 2 if something does not match.",
        ),
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="BUNDLE", help="For --images and --verify: the bundle that was measured."),
    ] = None,
    metric: MetricNames = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Show reports as tables on the terminal, or write them as HTML, Markdown, CSV or PNG.

    \b
    Examples:
      edgefit report report.json --html report.html
      edgefit report laptop.json pi.json --markdown summary.md --png chart.png
      edgefit report runs/*.json --history
      edgefit report report.json --verify --bundle bundle
    """
    from bench.report.files import read_report, to_json
    from edgefit.metrics import metrics_of, with_metrics

    output = Output(as_json)
    if verify:
        files_of = {"--html": html, "--markdown": markdown, "--csv": csv, "--png": png}
        more_of = {"--junit": junit, "--bmf": bmf, "--history": history, "--images": images}
        others = {**files_of, **more_of, "--metric": metric}
        _verify(reports, bundle, [name for name, value in others.items() if value], output)
        return
    if (images or bundle is not None) and (html is None or not images or bundle is None):
        raise typer.BadParameter("give both options, together with --html", param_hint="--images, --bundle")
    files = [*_texts(markdown, csv, junit, bmf), *_drawn(html, png, history, bundle, output)]
    metrics = metrics_of(metric or ())
    measured = [with_metrics(read_report(path), metrics) for path in reports]
    refuse_to_replace_any(files)
    _show(measured, history, output)
    write_all(files, measured, output)
    if images:
        output.say(
            f"{html} contains images of the evaluation pack, which may show patients; handle it with care"
        )
    output.document(json.dumps([json.loads(to_json(report)) for report in measured]))


def _verify(reports: Sequence[Path], bundle: Path | None, others: Sequence[str], output: Output) -> None:
    """Show what verifying the reports found. Ends with exit code 2 if something does not match."""
    from bench.errors import InputError
    from bench.render.verification_text import result_line, verified_parts
    from edgefit import jobs

    if others:
        hint = "--verify shows and writes nothing else; leave one of the two out"
        raise typer.BadParameter(hint, param_hint=others[0])
    verification = jobs.verify(reports, bundle)
    for verified in verification.reports:
        output.show(result_line(verified))
        for sentence in verified.wrong:
            output.say(f"wrong: {sentence}")
        output.show(verified_parts(verified))
    output.document(verification.model_dump_json())
    if not verification.holds:
        raise typer.Exit(InputError.exit_code)


def _texts(
    markdown: Path | None, csv: Path | None, junit: Path | None, bmf: Path | None
) -> "Iterator[OutputFile[Sequence[Report]]]":
    """Yield the text files that are requested. The modules of the others are not imported, to save time."""
    if markdown is not None:
        from bench.render.markdown import report_to_markdown, was_report_markdown

        def to_markdown(shown: "Sequence[Report]") -> str:
            return report_to_markdown(shown, _choices(shown))

        yield OutputFile(markdown, "--markdown", to_markdown, was_report_markdown)
    if csv is not None:
        from bench.render.csv_table import to_csv, was_csv

        yield OutputFile(csv, "--csv", to_csv, was_csv)
    if junit is not None:
        from bench.render.junit import report_to_junit, was_report_junit

        yield OutputFile(junit, "--junit", report_to_junit, was_report_junit)
    if bmf is not None:
        from bench.render.bmf import is_bmf, report_to_bmf

        yield OutputFile(bmf, "--bmf", report_to_bmf, is_bmf)


def _drawn(
    html: Path | None, png: Path | None, history: bool, bundle: Path | None, output: Output
) -> "Iterator[OutputFile[Sequence[Report]]]":
    """Yield the files that need the extra `report`, if they are requested."""
    if html is not None:
        require_extra("report", "edgefit report --html")
        from bench.render.html.page import was_html

        yield OutputFile(html, "--html", lambda shown: _page(shown, history, bundle, output), was_html)
    if png is not None:
        require_extra("report", "edgefit report --png")
        from bench.render.html.png import was_png

        yield OutputFile(png, "--png", _picture, was_png)


def _show(measured: "Sequence[Report]", history: bool, output: Output) -> None:
    from bench.render.terminal import history_view, report_view

    if history:
        output.show(history_view(measured, output.console.width))
        return
    for report in measured:
        output.show(report_view(report, output.console.width))


def _choices(measured: "Sequence[Report]") -> "list[Choice]":
    """Return the choice for each profile within its own budget."""
    from bench.choose.choosing import Criteria, choose
    from bench.report.comparability import require_one_task
    from device_profiles.settings import Budget

    require_one_task(measured)
    return [choice for choice, _ in choose(measured, Criteria(Budget(source="the profile")))]


def _page(measured: "Sequence[Report]", history: bool, bundle: Path | None, output: Output) -> str:
    from bench.render.html.library import packed_library
    from bench.render.html.page import to_html
    from bench.render.terminal import latest_of_each, of_one_name

    earlier = of_one_name(measured) if history else []
    shown = latest_of_each(earlier) if history else measured
    thumbnails = None if bundle is None else _thumbnails(bundle, shown)
    return to_html(shown, _choices(shown), earlier, thumbnails, library=packed_library(output.say))


def _picture(measured: "Sequence[Report]") -> bytes:
    from bench.errors import InputError
    from bench.render.html.main_chart import main_picture
    from bench.render.html.png import to_png

    specification = main_picture(measured)
    if specification is None:
        raise InputError(
            "--png draws latency against accuracy, or size, but no row of these reports has both"
        )
    return to_png(specification)


def _thumbnails(folder: Path, measured: "Sequence[Report]") -> "dict[str, Thumbnail]":
    """Return a function that draws an image of the bundle's evaluation pack, by the pack's hash."""
    from bench.bundle.manifest import read_bundle
    from bench.errors import InputError
    from bench.render.html.flips import thumbnail

    if all(report.bundle is None for report in measured):
        raise InputError(
            "--images shows evaluation images, and model files are measured without any; leave it out"
        )
    bundle = read_bundle(folder)
    sha256 = bundle.manifest.pack.file.sha256
    if all(report.bundle is None or report.bundle.pack_sha256 != sha256 for report in measured):
        raise InputError(
            f"{folder}: its evaluation pack is not the measured one; give the measured bundle to --bundle"
        )
    pack = bundle.pack()
    if pack.images is None:
        raise InputError(f"{folder}: its inputs are no images, so --images has none to show; leave it out")
    return {sha256: lambda index: thumbnail(pack.image(index))}
