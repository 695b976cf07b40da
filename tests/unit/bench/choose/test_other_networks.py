"""Choosing among several networks says which network is more accurate, as retention cannot."""

import pytest
from making.compared_report import Row
from making.networks import network

from bench.choose.choosing import Choice, Criteria, choose
from bench.choose.comparing import Preference
from bench.report.schema import Report
from device_profiles.settings import Budget

SMALL = Row(4, wrong=300)


def choice_of(*reports: Report, prefer: Preference = Preference.LATENCY) -> Choice:
    ((choice, _),) = choose(reports, Criteria(Budget(), prefer, any_retention=True))
    return choice


def hints(choice: Choice) -> list[str]:
    return [sentence for sentence in choice.explanation if "each network's own accuracy" in sentence]


def test_a_more_accurate_network_is_named_with_the_paired_difference() -> None:
    small = network("small", {"onnx-int8": SMALL, "onnx-fp32": Row(5, wrong=100)})
    large = network("large", {"onnx-fp32": Row(20), "onnx-int8": Row(9, wrong=4)})

    choice = choice_of(small, large)

    assert choice.report == "small"
    (hint,) = hints(choice)
    assert "on the same 1000 images onnx-fp32 (large" in hint
    assert "is 30.0 points more accurate (27.1 to 32.8); to rank by accuracy, add --prefer accuracy" in hint
    assert "of small, p50" in choice.headline or "(small" in choice.headline


@pytest.mark.parametrize(
    ("other", "prefer"),
    [
        (network("large", {"onnx-fp32": Row(20)}), Preference.ACCURACY),
        (network("large", {"onnx-fp32": Row(20, wrong=300)}), Preference.LATENCY),
        (network("large", {"onnx-fp32": Row(20)}, samples="8" * 64), Preference.LATENCY),
        (network("small", {"onnx-fp32": Row(20)}), Preference.LATENCY),
    ],
)
def test_nothing_is_said_where_accuracy_ranks_or_no_other_network_is_surely_more_accurate(
    other: Report, prefer: Preference
) -> None:
    small = network("small", {"onnx-int8": SMALL})

    assert not hints(choice_of(small, other, prefer=prefer))
