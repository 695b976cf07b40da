"""What choose, report and check print fits the terminal: no longer line, no cut cell, the result first."""

import io

import pytest
from making.compared_report import Row, made_report
from making.repository import ROOT
from making.tiny_report import HOST, make_report
from rich.console import Console, RenderableType

from bench.choose.choosing import Choice, Criteria, choose
from bench.gate.check_reports import check_reports
from bench.gate.options import CheckOptions
from bench.render.terminal import check_view, choice_view, history_view, report_view
from bench.report.files import read_report
from bench.report.schema import Report
from device_profiles.loading import shipped_profiles
from device_profiles.settings import Budget
from edgefit.console import stdout_console

SCHEMA_1 = ROOT / "tests" / "data" / "schema1"
WIDTHS = (40, 60, 80, 140)
LONGEST_CASE = "torchscript-int8@tensorrt"


def lines(view: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def longest(view: RenderableType, width: int) -> int:
    return max(len(line) for line in lines(view, width))


def reports() -> list[Report]:
    names = ("report.json", "report-proxy.json")
    return [make_report(), *(read_report(SCHEMA_1 / name) for name in names)]


def choices_of(*given: Report) -> list[Choice]:
    return [choice for choice, _ in choose(given, Criteria(Budget(), any_retention=True))]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_report_is_longer_than_the_terminal(width: int) -> None:
    assert [longest(report_view(report, width), width) <= width for report in reports()] == [True] * 3


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_cell_of_a_report_is_cut(width: int) -> None:
    for report in reports():
        assert not any("…" in line for line in lines(report_view(report, width), width))


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_choice_is_longer_than_the_terminal(width: int) -> None:
    views = [choice_view(choice) for report in reports() for choice in choices_of(report)]

    assert all(longest(view, width) <= width for view in views)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_check_is_longer_than_the_terminal(width: int) -> None:
    before, after = made_report({"onnx-int8": Row(10)}), made_report({"onnx-int8": Row(14, size=10_000_000)})
    checked = check_reports(after, before, CheckOptions(), "0", "2026-01-01T00:00:00+00:00")

    assert longest(check_view(checked, width), width) <= width


def test_a_history_leaves_columns_out_where_there_is_no_room() -> None:
    view = history_view([make_report()], 80)

    assert longest(view, 80) <= 80
    assert not any("…" in line for line in lines(view, 80))


def test_the_first_line_of_a_choice_is_its_result() -> None:
    (choice,) = choices_of(made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4)}))

    assert lines(choice_view(choice), 80)[0] == "laptop-cpu: onnx-int8, p50 4 ms (4 to 4, measured)"


def test_a_long_reason_continues_below_its_own_beginning() -> None:
    (choice,) = choices_of(made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4)}))

    shown = lines(choice_view(choice), 60)

    begin = next(index for index, line in enumerate(shown) if line.startswith("* onnx-int8"))
    column = shown[begin].index("chosen")
    assert shown[begin + 1][:column].isspace()
    assert not shown[begin + 1][column].isspace()


@pytest.mark.parametrize("profile", [profile.name for profile in shipped_profiles()])
def test_the_headline_of_each_shipped_profile_fits_80_columns(profile: str) -> None:
    report = made_report({"onnx-int8": Row(1.23456)}, profile=profile)
    case = report.runs[0].model_copy(update={"case": LONGEST_CASE, "variant": "torchscript-int8"})
    report = report.model_copy(update={"runs": (case, *report.runs[1:])})

    (choice,) = choices_of(report)

    assert LONGEST_CASE in choice.headline
    assert len(choice.headline) <= 80


def test_a_headline_leaves_out_what_tells_two_reports_apart() -> None:
    long = HOST.model_copy(update={"cpu": "A Processor with a Very Long Name, 64 Cores, at 3.5 GHz"})
    first = made_report({"onnx-int8": Row(4)})
    other = made_report({"onnx-int8": Row(9)}, host=long)

    (choice,) = choices_of(first, other)

    assert choice.chosen is not None
    assert choice.chosen.startswith("onnx-int8 (")
    assert len(choice.headline) <= 80


@pytest.mark.parametrize(("columns", "width"), [("80", 80), ("200", 200), ("0", 140), ("x", 140), ("", 140)])
def test_a_pipe_has_the_width_of_columns(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert stdout_console().width == width


def test_a_pipe_without_columns_has_room_for_the_widest_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)

    assert stdout_console().width == 140
