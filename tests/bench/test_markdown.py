"""Reports as Markdown: the picks first, a row for every variant, and text that stays text."""

from making.page_reports import HOSTILE, three_reports

from bench.choose.choosing import Criteria, choose
from bench.render.markdown import MARKER, to_markdown, was_markdown
from device_profiles.settings import Budget


def markdown() -> str:
    reports = three_reports()
    return to_markdown(
        reports, [choice for choice, _ in choose(reports, Criteria(Budget(source="a test of Markdown")))]
    )


def test_it_begins_with_its_marker_and_the_picks() -> None:
    lines = markdown().splitlines()

    assert lines[0] == MARKER
    assert lines[1].startswith("- **laptop-cpu: onnx-int8, p50 4 ms")
    assert lines[2].startswith(r"- **raspberry-pi-5 \(rests on a proxy")
    assert was_markdown(markdown().encode())


def test_every_row_is_there_with_what_its_latency_is() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith(("| onnx", "| openvino", "| torch"))]

    assert len(rows) == 9
    assert rows[0].startswith("| onnx-fp32 | 10.00 |")
    assert rows[4].endswith("| failed |")
    assert rows[6].endswith("| proxy |")
    widths = {line.count("|") for line in markdown().splitlines() if line.startswith("|") and "--:" in line}
    assert {row.count("|") for row in rows} == widths


def test_hostile_names_stay_text() -> None:
    assert HOSTILE.split()[0] not in markdown()
    assert "&lt;script&gt;alert\\(1\\)" in markdown()
