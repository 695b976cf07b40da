"""Reports as CSV."""

import csv
import io

import pytest
from making.hostile import assert_harmless
from making.tiny_report import make_report

from bench.render.csv_table import to_csv, was_csv


def test_csv_has_a_line_per_row_of_each_report_with_raw_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv([make_report(), make_report(name="second")]))))

    assert [row["variant"] for row in rows[:4]] == [
        "onnx-fp32",
        "onnx-int8",
        "openvino-fp32",
        "torchscript-int8",
    ]
    assert [row["variant"] for row in rows[4:6]] == ["null", "control"]
    assert {row["report"] for row in rows[6:]} == {"second"}
    assert rows[1]["p50_ms"] == "5.5"
    assert float(rows[1]["speed_up"]) == pytest.approx((10.5 / 4.5 * 12.5 / 6.5) ** 0.5)
    assert rows[1]["provenance"] == "measured"
    assert rows[1]["positive_class"] == "pneumonia"
    assert rows[4]["positive_class"] == ""
    assert rows[2]["status"] == "failed"
    assert rows[2]["p50_ms"] == ""
    assert rows[3]["reason"].startswith("torch is not installed here")


def test_a_csv_of_ours_is_known_from_any_other_file() -> None:
    assert was_csv(to_csv([]).encode())
    assert not was_csv(b"name,age\n")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(1)", " =1", "\uff1d1"])
def test_text_is_no_formula_and_a_number_has_no_apostrophe(name: str) -> None:
    report = make_report(name=name)

    first = next(csv.DictReader(to_csv([report]).splitlines()))

    assert first["report"] == f"'{name}"
    assert float(first["p50_ms"]) > 0


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("::error file=a.py::x", ": :error file=a.py::x"),
        ("  ::stop-commands::x", "  : :stop-commands::x"),
        ("##[error]x", "# #[error]x"),
        ("a, b ##vso[task.complete]", "a, b # #vso[task.complete]"),
        ('"##teamcity[buildStop]"', '"# #teamcity[buildStop]"'),
        ("=##[error]x", "'=# #[error]x"),
    ],
)
def test_no_ci_system_takes_text_for_a_command_and_the_text_stays_readable(name: str, cell: str) -> None:
    text = to_csv([make_report(name=name)])

    assert next(csv.DictReader(text.splitlines()))["report"] == cell
    assert_harmless(text)
