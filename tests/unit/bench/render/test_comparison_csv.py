"""A comparison of networks as CSV."""

import csv

import pytest
from making.networks import network, two_networks

from bench.compare.comparing import compare_networks
from bench.measurements import Skipped
from bench.render.comparison_csv import ROW_COLUMNS, comparison_to_csv, flat_row, was_comparison_csv
from bench.render.csv_table import was_csv


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_each_row_is_a_line_with_its_conditions_and_unrounded_figures() -> None:
    comparison = compare_networks(two_networks())

    lines = lines_of(comparison_to_csv(comparison))

    assert [line["name"] for line in lines] == [row.name for row in comparison.rows]
    assert {(line["profile"], line["cpu"], line["baseline"]) for line in lines} == {
        ("laptop-cpu", "Test CPU", "resnet")
    }
    small = comparison.rows[2].against
    assert small is not None
    assert small.accuracy is not None
    assert float(lines[2]["against_accuracy_ci95_low"]) == small.accuracy.ci95[0]
    assert float(lines[2]["against_times_as_fast_value"]) == pytest.approx(2)
    assert lines[0]["against_baseline"] == ""
    assert {line["provenance"] for line in lines} == {"measured"}


def test_every_file_has_the_same_columns_and_no_value_lacks_one() -> None:
    full = compare_networks(two_networks())
    empty = compare_networks(
        [network(name, {"onnx-fp32": Skipped(reason="no such runtime here")}) for name in ("a", "b")]
    )

    assert comparison_to_csv(full).splitlines()[0] == comparison_to_csv(empty).splitlines()[0]
    named = {name for row in full.rows for name, value in flat_row(row).items() if value is not None}
    assert named <= set(ROW_COLUMNS)


def test_a_comparison_is_known_from_other_csv_files() -> None:
    text = comparison_to_csv(compare_networks(two_networks()))

    assert was_comparison_csv(text.encode())
    assert not was_csv(text.encode())
    assert not was_comparison_csv(b"name,age\n")


def test_a_name_is_no_formula() -> None:
    reports = [report.model_copy(update={"name": f"={report.name}"}) for report in two_networks()]

    first, *_ = lines_of(comparison_to_csv(compare_networks(reports)))

    assert first["name"] == "'=resnet/onnx-fp32"
