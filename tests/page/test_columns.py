"""A column is one row of a table in the code: whatever has a value is on the page and in the CSV file."""

import csv
import io
import re
from collections.abc import Sequence

import pytest
from making.compared_report import Row, made_report, outcome
from making.model_report import every_kind, model_report
from making.tiny_report import CALM, MIB, ms_to_ns
from rich.console import Console, Group
from rich.table import Table

from bench.devices.projection.projected import Factor, projected
from bench.measurements import Block, Energy, SustainedRun
from bench.render import columns, csv_table
from bench.render.columns import COLUMNS, Column, ColumnPlace, Subject, columns_of
from bench.render.csv_table import to_csv
from bench.render.html.page import to_html
from bench.render.markdown import report_to_markdown
from bench.render.terminal import report_view
from bench.report.schema import Report

WIDER_THAN_ANY = 1000
LENGTH = Column(
    "name_length", "length of\nname", "characters of the case's name", lambda run: float(len(run.case)), 0
)


def complete_report() -> Report:
    """A report with a row that has a value in every column."""
    measured = outcome(Row(4, wrong=3), "int8")
    blocks = tuple(Block(pass_index=at, position=at, ns=(ms_to_ns(4 + at),) * 9) for at in range(4))
    everything = measured.model_copy(
        update={
            "memory": measured.memory.model_copy(update={"device_bytes": 300 * MIB}),
            "energy": Energy(method="m", domain="d", inferences=10, seconds=1, joules=0.05, idle_watts=1),
            "sustained": SustainedRun(blocks=blocks, before=CALM, after=CALM),
        }
    )
    report = made_report(
        {"onnx-fp32": Row(10), "onnx-int8": everything},
        labels=(0, 1) * 500,
    )
    fp32, int8, control = report.runs
    steps = [Factor(what="another network", value=0.5, reach=1.5)]
    whole = int8.model_copy(update={"projection": projected("somebody's", "fp32", 99.0, steps)})
    return report.model_copy(update={"runs": (fp32, whole, control)})


def head_of(page: str) -> set[str]:
    return set(re.findall(r'<th scope="col" data-key="(\w+)" title=', page))


def view_of(report: Report) -> Group:
    view = report_view(report, WIDER_THAN_ANY)
    assert isinstance(view, Group)
    return view


def terminal(report: Report) -> str:
    console = Console(file=io.StringIO(), width=WIDER_THAN_ANY)
    console.print(view_of(report))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_column_with_a_value_is_on_the_page_and_in_the_csv_file() -> None:
    report = complete_report()
    _are_shown(report, columns_of([report]))


def test_every_column_of_model_files_with_a_value_is_on_the_page_and_in_the_csv_file() -> None:
    report = model_report(every_kind())
    shown = [column for column in COLUMNS if column.subject is Subject.OUTPUTS]

    _are_shown(report, shown)


def _are_shown(report: Report, shown: Sequence[Column]) -> None:
    page = to_html([report], [])
    _, row, *_ = csv.DictReader(io.StringIO(to_csv([report])))

    assert {column.key for column in shown} <= head_of(page)
    assert head_of(page) <= {column.key for column in columns_of([report])}
    for column in shown:
        value = column.value(report.runs[1])
        assert value is not None, column.key
        assert float(row[column.key]) == value
        assert f'data-key="{column.key}" data-value="{value}"' in page


def test_columns_on_a_wide_terminal_and_in_markdown_are_those_of_their_places() -> None:
    report = complete_report()
    headings = {column: column.heading for column in COLUMNS}

    heads = [line for line in report_to_markdown([report], []).splitlines() if line.startswith("| variant")]
    in_markdown = heads[0].strip("| ").split(" | ")
    (table,) = (part for part in view_of(report).renderables if isinstance(part, Table))
    on_terminal = [str(column.header) for column in table.columns]

    places = (ColumnPlace.ALWAYS, ColumnPlace.OFTEN)
    applying = columns_of([report])
    assert in_markdown[1:-2] == [headings[column] for column in applying if column.place in places]
    titles = [column.title for column in applying if column.place is not ColumnPlace.FILE]
    assert on_terminal == ["variant", *titles, "provenance", "projected\nms"]
    # None is cut: the last line of the heads holds the last line of every title, in this order.
    head = next(line for line in terminal(report).splitlines() if line.startswith("variant"))
    assert head.split() == " ".join(title.splitlines()[-1] for title in on_terminal).split()


@pytest.mark.parametrize("place", [ColumnPlace.ALWAYS, ColumnPlace.FILE])
def test_a_new_column_is_one_row_of_the_table_and_is_shown_wherever_its_place_is(
    monkeypatch: pytest.MonkeyPatch, place: ColumnPlace
) -> None:
    report = made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4)})
    column = Column(LENGTH.key, LENGTH.title, LENGTH.explanation, LENGTH.value, 0, place=place)
    monkeypatch.setattr(columns, "COLUMNS", (*COLUMNS, column))

    page = to_html([report], [])
    header, *_ = csv.reader(io.StringIO(to_csv([report])))

    assert column.key in head_of(page)
    assert f'title="{column.explanation.replace(chr(39), "&#39;")}"' in page
    assert page.count(f'<td data-key="{column.key}" data-value="9.0">') == 2
    assert column.key in header
    assert (column.heading in report_to_markdown([report], [])) == (place is ColumnPlace.ALWAYS)
    assert ("length of" in terminal(report)) == (place is ColumnPlace.ALWAYS)


def test_no_two_columns_have_one_key() -> None:
    texts = (*csv_table.IDENTITY, *csv_table.REMARKS)
    keys = [*(column.key for column in texts), *(column.key for column in COLUMNS)]

    assert len(set(keys)) == len(keys)
