"""Which times need more processes, and which of them seem to be worse."""

import pytest

from bench.gate.findings import Quantity
from bench.gate.judging_times import Times, judge_all_times, open_cases
from bench.gate.multiplicity import PAIRED
from bench.gate.options import Limits
from bench.statistics.replication import Estimate


@pytest.mark.parametrize(
    ("log", "error", "expected"),
    [
        (0.10, 0.03, {"onnx-int8": True}),  # slower than the limit, and not sure enough
        (0.10, 0.15, {"onnx-int8": False}),  # may as well be faster by the limit
        (0.04, 0.03, {"onnx-int8": False}),  # within the limit
        (0.00, 0.01, {}),  # decided
    ],
)
def test_a_latency_seems_worse_if_it_exceeds_the_limit_and_did_not_fall_as_much(
    log: float, error: float, expected: dict[str, bool]
) -> None:
    times = {("onnx-int8", Quantity.LATENCY): Times(1, 1, Estimate(log, log, error, 4), 5)}
    limits = Limits(max_slowdown=0.05)

    assert open_cases(judge_all_times(times, limits, PAIRED), limits) == expected


def test_a_load_time_within_its_limit_needs_no_more_processes() -> None:
    times = {("onnx-int8", Quantity.LOAD_TIME): Times(1, 1, Estimate(0.0, 0.0, 0.5, 4), 5)}
    limits = Limits()

    assert open_cases(judge_all_times(times, limits, PAIRED), limits) == {}
