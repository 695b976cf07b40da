"""The table a report is shown as."""

import csv
import io
from typing import Any

import pytest
from making.tiny_report import CALM, HOST, MIB, OUTCOMES, completed, make_report, process
from rich.console import Console

from bench.devices.projection.projected import Factor, NoBasis, projected
from bench.measurements import Block, Completed, Skipped, SustainedRun
from bench.render.csv_table import to_csv
from bench.render.report_text import conditions
from bench.render.terminal import report_view
from bench.report.schema import Proxy, Report
from bench.system.thread_variables import set_variables
from device_profiles.loading import load_profile


def drawn(width: int, **options: Any) -> str:
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


def test_a_row_shows_latency_speed_up_memory_size_accuracy_and_provenance() -> None:
    cells = line_of(drawn(80), "onnx-int8").split()

    shown = ["onnx-int8", "*5.50", "*2.12×", "20", "90", "*2.50", "0.750", "0.750", "measured"]
    assert cells == shown


def test_what_there_is_no_room_for_is_left_out_by_its_rank_and_said() -> None:
    cells = line_of(drawn(64), "onnx-int8").split()

    assert cells == ["onnx-int8", "*5.50", "*2.12×", "90", "*2.50", "0.750", "measured"]
    assert "all columns with --csv" in " ".join(drawn(64).split())


def test_the_best_of_a_column_is_marked_and_a_column_of_equals_is_not() -> None:
    text = drawn(80)

    assert "*11.50" not in text
    assert "*1.000" in line_of(text, "onnx-fp32")
    assert "*90" not in text


def test_reasons_and_warnings_are_written_out_as_they_are() -> None:
    text = " ".join(drawn(80).split())

    assert "openvino-fp32 failed: crash in stage load: died of SIGSEGV" in text
    assert "pip install 'edgefit[x]'" in text
    assert "warning: a [warning] of all" in text
    assert text.count("a [warning] of all") == 1
    assert (
        "warning: onnx-int8: the budget requires a retention of 0.99, and this variant is not shown to keep "
        "the accuracy: " in text
    )
    assert "warning: the machine [hums]" in text


def test_the_conditions_stand_above_the_table() -> None:
    text = " ".join(drawn(140).split())

    assert "mobilenet_v2 at 32×32, weights none, data noise" in text
    assert "profile laptop-cpu on Test CPU, 2 cores, Test OS; 2 threads, batch 1" in text
    assert "4 samples for each variant, interleaved, in 1 fresh process" in text
    assert "file cache warm" in text
    assert "accuracy on 4 of 8 evaluation images" in text


def test_a_limit_on_cpus_and_cleared_variables_are_among_the_conditions() -> None:
    report = make_report().model_copy(
        update={
            "host": HOST.model_copy(update={"cpu_quota": 0.5, "online_cpus": 2}),
            "variables": set_variables({"OMP_THREAD_LIMIT": "1", "LD_PRELOAD": "/lib/jemalloc.so"}),
        }
    )

    text = " ".join(conditions(report))

    assert "2 cores (this container may use 0.5 of 2 CPUs), Test OS" in text
    assert text.endswith("cleared for the measured processes: OMP_THREAD_LIMIT=1")


def test_a_format_without_its_fp32_has_no_speed_up() -> None:
    text = drawn(80, outcomes={"onnx-int8": completed(4)})

    assert "×" not in line_of(text, "onnx-int8")


def test_the_null_runtime_and_the_control_stand_below_the_table() -> None:
    text = drawn(140)

    assert "null (test 1): 1.50 ms, 90 MiB, measured" in text
    assert "control (test 1): 3.50 ms, 90 MiB, measured" in text
    assert not any(line.startswith("control  ") for line in text.splitlines())


def test_latency_over_time_is_drawn_with_where_it_settles() -> None:
    levels = [10, 11, 12, 13, 13, 13, 13, 13]
    blocks = tuple(
        Block(pass_index=at, position=at, ns=(level * 10**6,) * 3) for at, level in enumerate(levels)
    )

    run = SustainedRun(blocks=blocks, before=CALM, after=CALM)

    text = drawn(140, outcomes={"onnx-fp32": completed(10, sustained=run)})

    line = line_of(text, "sustained")
    assert "▁▃▆█████" in line
    assert "10.00 ms at first, settles at 13.00 ms after 0 s, drift +24%" in " ".join(text.split())


def test_a_wide_interval_is_shown_beside_its_median() -> None:
    processes = tuple(process(ms, repetition) for repetition, ms in enumerate([10, 11, 10, 9, 10]))

    text = drawn(80, outcomes={"onnx-fp32": completed(10, processes=processes)})

    assert "±" in text
    assert "95 % interval of the median over processes" in " ".join(text.split())


def test_of_several_groups_the_ratio_to_the_control_is_shown() -> None:
    outcomes = {
        name: outcome.model_copy(update={"groups": 2})
        for name, outcome in OUTCOMES.items()
        if isinstance(outcome, Completed)
    }

    text = drawn(80, outcomes=outcomes)

    assert "*5.50" not in text
    assert "rel. to" in text


def test_nothing_is_cut_at_140_columns_where_values_are_long() -> None:
    processes = tuple(process(100 * (1 + repetition / 9), repetition, passes=60) for repetition in range(5))
    case = completed(100, processes=processes, precision="int8")

    text = drawn(140, outcomes={f"torchscript-{name}": case for name in ("fp32", "fp16", "int8")})

    assert "…" not in text
    assert line_of(text, "torchscript-int8").rstrip().endswith("measured")


def proxy_report(**changes: object) -> Report:
    """A report of a proxy for a board, with a projection, a reason and two providers."""
    report = make_report({"onnx-fp32": completed(10), "onnx-int8": completed(4, precision="int8")})
    board = load_profile("raspberry-pi-4")
    range_ = projected(
        "published latency of somebody", "fp32", 99.0, [Factor(what="another network", value=0.5, reach=1.5)]
    )
    first, second = (row.model_copy(update={"provenance": "proxy"}) for row in report.runs)
    rows = (
        first.model_copy(update={"projection": range_, "nearest_published": board.published[0]}),
        first.model_copy(
            update={
                "case": "onnx-fp32@cuda",
                "config": first.config.on("CUDAExecutionProvider"),
                "projection": NoBasis(reason="it was skipped"),
            }
        ),
        second.model_copy(update={"projection": NoBasis(reason="nobody has published it")}),
    )
    held: dict[str, object] = {
        "agrees": (),
        "differs": ("cores: 2, not 4",),
        "emulated": None,
        "memory_limit_bytes": 695 * MIB,
        "memory_limit_is": "what it leaves free",
        "memory_held_by": "measured peak",
    }
    proxy = Proxy(**(held | changes))  # type: ignore[arg-type]
    return report.model_copy(update={"profile": board, "proxy": proxy, "runs": rows})


def view_of(report: Report, width: int = 140) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(report_view(report, width))
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


def test_a_proxy_says_what_it_is_not_and_how_it_was_held_to_the_device() -> None:
    text = view_of(proxy_report())

    assert "proxy: Test CPU (x86_64, 2 cores) is not a raspberry-pi-4 (Cortex-A72, 4 cores)" in text
    assert "its latencies are not the device's" in text
    assert (
        "memory limit of a case: 695 MiB, what it leaves free; it is compared with the measured peak" in text
    )
    assert "this machine is emulated (qemu-user)" in view_of(proxy_report(emulated="qemu-user"))


def test_a_projection_stands_beside_its_row_with_its_factors() -> None:
    text = view_of(proxy_report())

    assert "proxy 33–74" in text
    assert "projected for raspberry-pi-4: ranges, not measurements" in text
    assert (
        "from 99 ms, published latency of somebody: onnx-fp32: 33–74 ms = × 0.5 ×÷ 1.5 (another network)"
        in text
    )
    assert "not projected: onnx-int8: nobody has published it" in text
    assert "nearest to onnx-fp32: 61.88 ms, ncnn mobilenet_v2 224 fp32 on cpu with 4 threads" in text


def test_rows_of_one_variant_on_two_providers_have_two_names() -> None:
    text = view_of(proxy_report())

    assert "onnx-fp32 " in text
    assert "onnx-fp32@cuda " in text


def test_csv_holds_both_ends_of_a_projection() -> None:
    header, first, *_ = to_csv([proxy_report()]).splitlines()

    row = dict(zip(header.split(","), next(csv.reader([first])), strict=True))
    assert (round(float(row["projected_low_ms"])), round(float(row["projected_high_ms"]))) == (33, 74)
    assert row["provenance"] == "proxy"


def test_what_is_said_of_a_row_names_its_provider_where_there_are_several() -> None:
    report = proxy_report()
    first, second, third = report.runs
    skipped = second.model_copy(update={"outcome": Skipped(reason="no GPU here"), "summary": None})
    text = view_of(report.model_copy(update={"runs": (first, skipped, third)}))

    assert "onnx-fp32@cuda skipped: no GPU here" in text


def test_an_unsupported_device_says_why_it_needs_a_proxy() -> None:
    nano = load_profile("jetson-nano")

    text = view_of(proxy_report().model_copy(update={"profile": nano}))

    assert "proxy: edgefit does not run on jetson-nano (JetPack 4 is its last system" in text
