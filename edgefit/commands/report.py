"""`edgefit report`: reports in, tables out. It parses and prints; bench/render draws."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson
from edgefit.terminal import Output


def report(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT.json…", help="Reports that bench wrote.")],
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every column as CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show reports as tables, or write them as CSV."""
    from bench.files import refuse_to_replace, write_whole
    from bench.render.csv_table import to_csv, was_csv
    from bench.render.terminal import report_view
    from bench.reports.files import read_report, to_json

    output = Output(as_json)
    if csv is not None:
        refuse_to_replace(csv, was_csv, "--csv")
    opened = [read_report(path) for path in reports]
    for one in opened:
        output.show(report_view(one, output.people.width))
    if csv is not None:
        write_whole(csv, to_csv(opened))
        output.say(f"written: {csv}")
    output.document(json.dumps([json.loads(to_json(one)) for one in opened]))
