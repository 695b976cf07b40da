"""Reports as Markdown: the choices first, a row for every variant, and text that stays text."""

from making.page_reports import HOSTILE, three_reports

from bench.choose.choosing import Criteria, choose
from bench.render.markdown import (
    report_to_markdown,
    was_report_markdown,
)
from bench.render.text import REPORT_MARKER
from device_profiles.settings import Budget


def markdown() -> str:
    reports = three_reports()
    return report_to_markdown(
        reports, [choice for choice, _ in choose(reports, Criteria(Budget(source="a test of Markdown")))]
    )


def test_it_begins_with_its_marker_and_the_choices() -> None:
    lines = markdown().splitlines()

    assert lines[0] == REPORT_MARKER
    assert lines[1] == r"- **laptop-cpu: onnx-int8, p50 4 ms \(3.94 to 4.07, measured\)**"
    first = lines.index(r"- **raspberry-pi-5: onnx-int8, p50 5 ms \(5 to 5, proxy\)**")
    assert lines[first + 2] == r"  - based on a proxy \(Test CPU\): not measured on raspberry-pi-5"
    assert was_report_markdown(markdown().encode())


def test_every_row_is_there_with_what_its_latency_is() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith(("| onnx", "| openvino", "| torch"))]

    assert len(rows) == 9
    assert rows[0].startswith("| onnx-fp32 | 10.00 |")
    assert rows[4].endswith("| failed |")
    assert rows[6].endswith("| proxy |")
    titles = {line.count("|") for line in markdown().splitlines() if line.startswith("| variant |")}
    assert {row.count("|") for row in rows} == titles


def test_hostile_names_stay_text() -> None:
    assert HOSTILE.split()[0] not in markdown()
    assert "&lt;script&gt;alert\\(1\\)" in markdown()
