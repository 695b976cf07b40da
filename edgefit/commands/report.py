"""`edgefit report`: reports in; tables, a page, Markdown, CSV and a picture out. bench/render draws."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.extras import require_extra
from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.decide.choosing import Choice
    from bench.render.page.page import Thumbnail
    from bench.reports.records import Report


@dataclass(frozen=True)
class _Written:
    """A file that is asked for: what it is made by, and what may stand in its place."""

    path: Path
    option: str
    make: Callable[[], str | bytes]
    was_ours: Callable[[bytes], bool]


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
    from bench.files import refuse_to_replace, write_whole
    from bench.render.csv_table import to_csv, was_csv
    from bench.reports.files import read_report, to_json

    output = Output(as_json)
    for path, option in ((html, "--html"), (png, "--png")):
        if path is not None:
            require_extra("report", f"edgefit report {option}")
    if (images or bundle is not None) and (html is None or not images or bundle is None):
        raise typer.BadParameter("go together, and with --html", param_hint="--images, --bundle")
    opened = [read_report(path) for path in reports]
    wanted: list[_Written] = []
    if html is not None:
        from bench.render.page.page import was_html

        thumbnails = _thumbnails(bundle, opened) if bundle is not None else None
        wanted.append(_Written(html, "--html", lambda: _page(opened, history, thumbnails), was_html))
    if markdown is not None:
        from bench.render.markdown import to_markdown, was_markdown

        wanted.append(
            _Written(markdown, "--markdown", lambda: to_markdown(opened, _choices(opened)), was_markdown)
        )
    if csv is not None:
        wanted.append(_Written(csv, "--csv", lambda: to_csv(opened), was_csv))
    if png is not None:
        from bench.render.page.picture import was_png

        wanted.append(_Written(png, "--png", lambda: _picture(opened), was_png))
    if junit is not None:
        from bench.render.junit import to_junit, was_junit

        wanted.append(_Written(junit, "--junit", lambda: to_junit(opened), was_junit))
    if bmf is not None:
        from bench.render.bencher import is_bmf, to_bmf

        wanted.append(_Written(bmf, "--bmf", lambda: to_bmf(opened), is_bmf))
    for one in wanted:
        refuse_to_replace(one.path, one.was_ours, one.option)
    _show(opened, history, output)
    made = [(one, one.make()) for one in wanted]
    for one, content in made:
        write_whole(one.path, content)
        output.say(f"written: {one.path}")
    if images:
        # Whoever asked for quiet has to know this all the same.
        sys.stderr.write(
            f"{html} holds images of the evaluation pack, which may be patients': handle it with care\n"
        )
    output.document(json.dumps([json.loads(to_json(one)) for one in opened]))


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
    from bench.check.fitting import refuse_other_kind
    from bench.decide.choosing import Wish, choose
    from device_profiles.settings import Budget

    for one in opened[1:]:
        refuse_other_kind(one.bundle, opened[0].bundle)
    return [choice for choice, _ in choose(opened, Wish(Budget(source="the profile")))]


def _page(opened: "Sequence[Report]", history: bool, thumbnails: "dict[str, Thumbnail] | None") -> str:
    from bench.render.history import latest_of_each, of_one_name
    from bench.render.page.page import to_html

    earlier = of_one_name(opened) if history else []
    shown = latest_of_each(earlier) if history else opened
    return to_html(shown, _choices(shown), earlier, thumbnails)


def _picture(opened: "Sequence[Report]") -> bytes:
    from bench.errors import InputError
    from bench.render.page.main_chart import main_picture
    from bench.render.page.picture import to_png

    specification = main_picture(opened)
    if specification is None:
        raise InputError("--png draws latency against accuracy, and no row of these reports has both")
    return to_png(specification)


def _thumbnails(folder: Path, opened: "Sequence[Report]") -> "dict[str, Thumbnail]":
    """Return what gives the images of the bundle's evaluation pack, by the pack's hash."""
    from bench.bundle import read_bundle
    from bench.errors import InputError
    from bench.render.page.thumbnails import thumbnail

    bundle = read_bundle(folder)
    sha256 = bundle.manifest.pack.file.sha256
    if all(one.bundle.pack_sha256 != sha256 for one in opened):
        raise InputError(
            f"{folder}: its evaluation pack is not the one that was measured; give --bundle that one"
        )
    pack = bundle.pack()
    return {sha256: lambda index: thumbnail(pack.images[index])}
