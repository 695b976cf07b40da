"""`edgefit report`: reports in; tables, a page, Markdown, CSV and a picture out. bench/render draws."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.extras import require_extra
from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output
from edgefit.written import Written, refuse_to_replace_any, write_all

if TYPE_CHECKING:
    from bench.choose.choosing import Choice
    from bench.render.html.page import Thumbnail
    from bench.report.schema import Report


def report(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT.json…", help="Reports that bench wrote.")],
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one page that needs nothing else: picks, charts, all rows."),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Markdown, for a pull request.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every column as CSV.")] = None,
    png: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a picture of latency against accuracy.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML: a test for each row.")
    ] = None,
    bmf: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Bencher Metric Format.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Show reports of one name over time, and draw that in --html.")
    ] = False,
    images: Annotated[
        bool,
        typer.Option(
            "--images", help="For --html: show the images that changed class; they may be patients'."
        ),
    ] = False,
    bundle: Annotated[
        Path | None, typer.Option(metavar="BUNDLE", help="For --images: the bundle that was measured.")
    ] = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Show reports as tables, or write them as a page, Markdown, CSV or a picture.

    \b
    Examples:
      edgefit report report.json --html report.html
      edgefit report laptop.json pi.json --markdown summary.md --png chart.png
      edgefit report runs/*.json --history
    """
    from bench.render.bencher import is_bmf, to_bmf
    from bench.render.csv_table import to_csv, was_csv
    from bench.render.junit import to_junit, was_junit
    from bench.render.markdown import to_markdown, was_markdown
    from bench.report.files import read_report, to_json

    output = Output(as_json)
    if (images or bundle is not None) and (html is None or not images or bundle is None):
        raise typer.BadParameter("go together, and with --html", param_hint="--images, --bundle")
    files: list[Written[Sequence[Report]]] = [
        Written(markdown, "--markdown", lambda all_: to_markdown(all_, _choices(all_)), was_markdown),
        Written(csv, "--csv", to_csv, was_csv),
        Written(junit, "--junit", to_junit, was_junit),
        Written(bmf, "--bmf", to_bmf, is_bmf),
        *_drawn(html, png, history, bundle),
    ]
    opened = [read_report(path) for path in reports]
    refuse_to_replace_any(files)
    _show(opened, history, output)
    write_all(files, opened, output)
    if images:
        output.say(f"{html} holds images of the evaluation pack, which may be patients': handle it with care")
    output.document(json.dumps([json.loads(to_json(one)) for one in opened]))


def _drawn(
    html: Path | None, png: Path | None, history: bool, bundle: Path | None
) -> "Iterator[Written[Sequence[Report]]]":
    """Yield what needs the extra that draws, and only where it is asked for."""
    if html is not None:
        require_extra("report", "edgefit report --html")
        from bench.render.html.page import was_html

        yield Written(html, "--html", lambda all_: _page(all_, history, bundle), was_html)
    if png is not None:
        require_extra("report", "edgefit report --png")
        from bench.render.html.picture import was_png

        yield Written(png, "--png", _picture, was_png)


def _show(opened: "Sequence[Report]", history: bool, output: Output) -> None:
    from bench.render.history import history_view
    from bench.render.terminal import report_view

    if history:
        output.show(history_view(opened))
        return
    for one in opened:
        output.show(report_view(one, output.people.width))


def _choices(opened: "Sequence[Report]") -> "list[Choice]":
    """Return the pick of each profile under its own budget."""
    from bench.choose.choosing import Criteria, choose
    from bench.gate.fitting import refuse_other_kind
    from device_profiles.settings import Budget

    for one in opened[1:]:
        refuse_other_kind(one.bundle, opened[0].bundle)
    return [choice for choice, _ in choose(opened, Criteria(Budget(source="the profile")))]


def _page(opened: "Sequence[Report]", history: bool, bundle: Path | None) -> str:
    from bench.render.history import latest_of_each, of_one_name
    from bench.render.html.page import to_html

    earlier = of_one_name(opened) if history else []
    shown = latest_of_each(earlier) if history else opened
    thumbnails = None if bundle is None else _thumbnails(bundle, shown)
    return to_html(shown, _choices(shown), earlier, thumbnails)


def _picture(opened: "Sequence[Report]") -> bytes:
    from bench.errors import InputError
    from bench.render.html.main_chart import main_picture
    from bench.render.html.picture import to_png

    specification = main_picture(opened)
    if specification is None:
        raise InputError("--png draws latency against accuracy, and no row of these reports has both")
    return to_png(specification)


def _thumbnails(folder: Path, opened: "Sequence[Report]") -> "dict[str, Thumbnail]":
    """Return what gives the images of the bundle's evaluation pack, by the pack's hash."""
    from bench.bundle.manifest import read_bundle
    from bench.errors import InputError
    from bench.render.html.thumbnails import thumbnail

    bundle = read_bundle(folder)
    sha256 = bundle.manifest.pack.file.sha256
    if all(one.bundle.pack_sha256 != sha256 for one in opened):
        raise InputError(
            f"{folder}: its evaluation pack is not the one that was measured; give --bundle that one"
        )
    pack = bundle.pack()
    return {sha256: lambda index: thumbnail(pack.images[index])}
