"""Which rows are best in a column."""

import dataclasses
import io

import pytest
from making.compared_report import Row, made_report
from rich.console import Console

from bench.render.columns import Best, Column, ColumnPlace, best_cases, column_of, place_in
from bench.render.terminal import report_view


def test_a_column_that_groups_do_not_share_has_no_best_in_several_groups() -> None:
    column = Column("case_length", "length", "", lambda run: float(len(run.case)), 0, Best.LOWEST)
    report = made_report({"onnx-fp32": Row(10), "openvino-fp32": Row(9)})
    first, second, control = report.runs
    assert first.completed is not None
    grouped = first.model_copy(update={"outcome": first.completed.model_copy(update={"groups": 2})})
    in_groups = report.model_copy(update={"runs": (grouped, second, control)})

    assert (report.has_groups, in_groups.has_groups) == (False, True)
    assert best_cases(column, in_groups) == {"onnx-fp32"}
    within = dataclasses.replace(column, is_within_group=True)
    assert best_cases(within, report) == {"onnx-fp32"}
    assert best_cases(within, in_groups) == set()


LABELS = {
    "rare": (0,) * 400 + (1,) * 4,
    "even": (0, 1) * 200,
    "three": (0, 1, 2) * 100,
}


@pytest.mark.parametrize(
    ("name", "classes", "shown"),
    [
        ("rare", 2, {"balanced_accuracy", "sensitivity"}),
        ("even", 2, set()),
        ("three", 3, {"balanced_accuracy"}),
    ],
)
def test_what_accuracy_hides_is_a_column_on_every_terminal(name: str, classes: int, shown: set[str]) -> None:
    labels = LABELS[name]
    names = tuple(f"kind {index}" for index in range(classes))
    report = made_report({"onnx-int8": Row(4, answers=labels)}, labels=labels, classes=names)

    hidden = [column_of(key) for key in ("balanced_accuracy", "sensitivity")]

    assert {column.key for column in hidden if place_in(column, report) is ColumnPlace.ALWAYS} == shown


def test_the_table_of_a_rare_class_has_them_at_80_columns() -> None:
    labels = LABELS["rare"]
    rows = {name: Row(10, answers=(0,) * 404) for name in ("onnx-int8", "torchscript-int8")}
    console = Console(file=io.StringIO(), width=80)

    console.print(report_view(made_report(rows, labels=labels), 80))

    assert isinstance(console.file, io.StringIO)
    row = next(line for line in console.file.getvalue().splitlines() if line.startswith("onnx-int8"))
    assert "0.500" in row
    assert "0.000" in row
