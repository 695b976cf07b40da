"""What reports of model files are shown as: no accuracy, and nothing empty where it would have stood."""

import csv
import io
import json
import re
from xml.etree import ElementTree

import pytest
from making.model_report import CRASHED, ModelRow, every_kind, model_report
from rich.console import Console, RenderableType

from bench.choose.choosing import Criteria, choose
from bench.render.bmf import report_to_bmf
from bench.render.csv_table import to_csv
from bench.render.junit import report_to_junit
from bench.render.markdown import report_to_markdown
from bench.render.terminal import history_view, report_view
from bench.report.schema import Report
from device_profiles.settings import Budget

ONE = {"net.onnx": ModelRow(10)}
MANY = {f"a-network-with-a-long-name-{number}.onnx": ModelRow(number + 1) for number in range(30)}
NONE_RAN = {"broken.onnx": ModelRow(1, failed=CRASHED)}
REPORTS = [every_kind(), ONE, MANY, NONE_RAN]


def drawn(view: RenderableType, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def terminal(report: Report, width: int = 80) -> str:
    return drawn(report_view(report, width), width)


def markdown(report: Report) -> str:
    choices = [choice for choice, _ in choose([report], Criteria(Budget(source="a test of Markdown")))]
    return report_to_markdown([report], choices)


def cells(report: Report, name: str) -> list[str]:
    """The row of a model in the widest table."""
    return next(line for line in terminal(report, 160).splitlines() if line.startswith(f"{name} ")).split()


@pytest.mark.parametrize("rows", REPORTS)
def test_no_output_speaks_of_missing_values_or_has_a_place_for_accuracy(rows: dict[str, ModelRow]) -> None:
    report = model_report(rows)
    header = to_csv([report]).splitlines()[0]

    for text in (
        terminal(report),
        terminal(report, 160),
        markdown(report),
        report_to_junit([report]),
        header,
    ):
        assert not re.search(r"\b(nan|None|null|inf)\b", text)
        assert not re.search("retention|AUC|top1|variant(?!,format)|fp32 network|evaluation", text)
    assert "no labels, so no accuracy" in terminal(report)
    assert "accuracy, AUC and retention" not in terminal(report)


@pytest.mark.parametrize("rows", REPORTS)
@pytest.mark.parametrize("width", [40, 80, 140])
def test_no_line_is_longer_than_the_terminal(rows: dict[str, ModelRow], width: int) -> None:
    assert max(len(line) for line in terminal(model_report(rows), width).splitlines()) <= width


def test_each_model_has_a_line_with_format_precision_inputs_and_batch() -> None:
    lines = terminal(model_report(every_kind())).splitlines()

    assert lines[:2] == [
        "net.onnx: onnx fp32, image: float32 [1, 3, 32, 32], batch 1",
        "net.int8.onnx: onnx int8, image: float32 [1, 3, 32, 32], batch 1",
    ]
    assert "bytes.onnx: onnx fp32, pixels: uint8 [8, 48, 32, 1], batch 8" in lines
    assert "inputs: random values for 5 inferences; no labels, so no accuracy" in lines


def test_outputs_are_compared_with_the_reference_which_is_marked() -> None:
    report = model_report(every_kind())

    assert cells(report, "net.onnx")[-4:] == ["ref.", "ref.", "ref.", "measured"]
    assert cells(report, "net.int8.onnx")[-4:] == ["0.800", "0.8000", "4.0", "measured"]
    assert cells(report, "net.xml")[-4:] == ["1.000", "1.0000", "–", "measured"]
    assert "ref.: net.onnx is the reference" in terminal(report)
    assert "| net.onnx | 10.00 | 0.0 | 10.00 | 100 | 9.00 | ref. | ref. | measured |" in markdown(report)


def test_the_first_column_and_the_title_name_models() -> None:
    report = model_report(MANY)

    assert "\nmodel " in terminal(report)
    assert "| model | p50 ms |" in markdown(report)
    assert report.name == "a-network-with-a-long-name-0.onnx, a-network-with-a-long-name-1.onnx and 28 more"


def test_a_single_file_has_no_comparison_and_no_mark() -> None:
    text = terminal(model_report(ONE), 160)

    assert "ref." not in text
    assert "*" not in text
    assert "agree" not in text


def test_what_is_not_compared_is_said() -> None:
    text = " ".join(terminal(model_report(every_kind()), 160).split())

    assert (
        "outputs not compared: other-outputs.onnx: 'mask' has no counterpart of the same shape in net.onnx"
        in text
    )
    assert "outputs not compared: bytes.onnx: it was run with other inputs than net.onnx" in text
    assert "net.pt skipped: torch is not installed here" in text
    assert "broken.onnx failed: crash in stage load" in text


def test_of_files_with_different_inputs_none_is_the_reference() -> None:
    rows = every_kind()
    text = terminal(model_report({name: rows[name] for name in ("net.onnx", "bytes.onnx")}))

    assert "ref." not in text
    assert "bytes.onnx: it was run with other inputs than net.onnx" in " ".join(text.split())


def test_a_tiny_file_has_a_size_and_a_latency() -> None:
    row = cells(model_report({"tiny.onnx": ModelRow(0.0123, size=657)}), "tiny.onnx")

    assert row[1] == "0.012"
    assert "0.00066" in row


def test_csv_has_the_comparison_and_the_inputs() -> None:
    first, second, *_ = csv.DictReader(io.StringIO(to_csv([model_report(every_kind())])))

    assert (first["format"], first["precision"], first["output_agreement"]) == ("onnx", "fp32", "")
    assert (second["precision"], second["output_agreement"], second["items"]) == ("int8", "0.8", "5")
    assert (second["reference"], second["inputs_source"]) == ("net.onnx", "random values")
    assert second["inputs"] == "image: float32 [1, 3, 32, 32]"


def test_junit_and_bencher_have_a_row_for_each_model() -> None:
    report = model_report(every_kind())
    suite = ElementTree.fromstring(report_to_junit([report]))[0]
    measures = json.loads(report_to_bmf([report]))

    assert suite.attrib["name"] == "net.onnx, net.int8.onnx and 5 more: laptop-cpu"
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["skipped"]) == ("7", "1", "1")
    assert "its outputs differ from those of net.onnx" in (suite[1][0].text or "")
    assert set(measures["net.int8.onnx, laptop-cpu, measured"]) == {
        *("latency", "load-time", "memory", "file-size")
    }


def test_a_history_shows_agreement_in_the_place_of_retention() -> None:
    reports = [model_report(every_kind(), created=f"2026-01-0{day}T00:00:00+00:00") for day in (1, 2)]

    text = drawn(history_view(reports, 140), 140)

    assert re.search(r"measured at +file +run", text)
    assert "retention" not in re.sub(r"\s", "", text)
    assert "0.800" in text
