"""The table a report is shown as."""

import io

import pytest
from making.tiny_report import CALM, OUTCOMES, completed, make_report, process
from rich.console import Console

from bench.measurements import Block, Completed, SustainedRun
from bench.render.terminal import report_view


def drawn(width: int, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(report_view(make_report(**options), width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


@pytest.mark.parametrize("width", [80, 139, 140, 160])
def test_every_case_has_a_row_whose_cells_are_not_cut(width: int) -> None:
    text = drawn(width)

    for variant in ("onnx-fp32", "onnx-int8", "openvino-fp32", "torchscript-int8"):
        assert line_of(text, variant)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_a_row_shows_latency_speed_up_memory_size_accuracy_and_standing() -> None:
    cells = line_of(drawn(80), "onnx-int8").split()

    assert cells == ["onnx-int8", "*5.50", "*2.12×", "90", "*2.50", "0.750", "0.750", "measured"]


def test_the_best_of_a_column_is_marked_and_a_column_of_equals_is_not() -> None:
    text = drawn(80)

    assert "*11.50" not in text
    assert "*1.000" in line_of(text, "onnx-fp32")
    assert "*90" not in text


def test_reasons_and_warnings_are_written_out_as_they_are() -> None:
    text = " ".join(drawn(80).split())

    assert "openvino-fp32 failed: crash in stage load: died of SIGSEGV" in text
    assert "pip install 'edgefit[x]'" in text
    assert "warning: a [doubt] of all" in text
    assert text.count("a [doubt] of all") == 1
    assert "warning: onnx-int8: retention 0.750 is below the budget's 0.99" in text
    assert "warning: the machine [hums]" in text


def test_the_conditions_stand_above_the_table() -> None:
    text = " ".join(drawn(140).split())

    assert "mobilenet_v2 at 32×32, weights none, data noise" in text
    assert "profile laptop-cpu on Test CPU, 2 cores, Test OS; 2 threads, batch 1" in text
    assert "4 samples a variant, taking turns, in 1 fresh processes each" in text
    assert "file cache warm" in text
    assert "accuracy on 4 of 8 evaluation images" in text


def test_a_format_without_its_fp32_has_no_speed_up() -> None:
    text = drawn(80, outcomes={"onnx-int8": completed(4)})

    assert "×" not in line_of(text, "onnx-int8")


def test_the_null_runtime_and_the_yardstick_stand_below_the_table() -> None:
    text = drawn(140)

    assert "null (test 1): 1.50 ms, 90 MiB, measured" in text
    assert "yardstick (test 1): 3.50 ms, 90 MiB, measured" in text
    assert not any(line.startswith("yardstick  ") for line in text.splitlines())


def test_latency_over_time_is_drawn_with_where_it_settles() -> None:
    levels = [10, 11, 12, 13, 13, 13, 13, 13]
    blocks = tuple(Block(sweep=at, turn=at, ns=(level * 10**6,) * 3) for at, level in enumerate(levels))

    run = SustainedRun(blocks=blocks, before=CALM, after=CALM)

    text = drawn(140, outcomes={"onnx-fp32": completed(10, sustained=run)})

    line = line_of(text, "sustained")
    assert "▁▃▆█████" in line
    assert "10.00 ms at first, settles at 13.00 ms after 0 s, drift +24%" in " ".join(text.split())


def test_a_wide_interval_is_shown_beside_its_median() -> None:
    processes = tuple(process(ms, round_) for round_, ms in enumerate([10, 11, 10, 9, 10]))

    text = drawn(80, outcomes={"onnx-fp32": completed(10, processes=processes)})

    assert "±" in text
    assert "95 % interval of the median over processes" in " ".join(text.split())


def test_of_several_waves_no_latency_is_the_best_and_the_ratio_to_the_yardstick_is_shown() -> None:
    outcomes = {
        name: outcome.model_copy(update={"waves": 2})
        for name, outcome in OUTCOMES.items()
        if isinstance(outcome, Completed)
    }

    text = drawn(80, outcomes=outcomes)

    assert "*5.50" not in text
    assert "yard" in text


def test_nothing_is_cut_at_140_columns_where_values_are_long() -> None:
    processes = tuple(process(100 * (1 + round_ / 9), round_, sweeps=60) for round_ in range(5))
    case = completed(100, processes=processes, precision="int8")

    text = drawn(140, outcomes={f"torchscript-{name}": case for name in ("fp32", "fp16", "int8")})

    assert "…" not in text
    assert line_of(text, "torchscript-int8").endswith("measured")
