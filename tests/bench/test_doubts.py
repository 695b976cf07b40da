"""What disturbs a measurement, in words with a remedy."""

import re

import pytest
from making.tiny_report import HOST

from bench.harness.doubts import doubts_of
from bench.host import HostState, cpus_for, usable_cpus

CALM = HostState(busy_share=0.02, available_bytes=8 << 30, swap_used_bytes=0, on_battery=False)


def test_a_calm_machine_raises_no_doubt() -> None:
    assert doubts_of(HOST, CALM) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"busy_share": 0.4}, "other work uses 40% of the CPUs: end it"),
        ({"on_battery": True}, "runs on battery, .*: plug it in"),
        ({"swap_used_bytes": 1, "available_bytes": 1 << 20}, "swap is in use: close other programs"),
    ],
)
def test_each_disturbance_is_named_with_its_remedy(changes: dict[str, object], words: str) -> None:
    found = doubts_of(HOST, CALM.model_copy(update=changes))

    assert len(found) == 1
    assert re.search(words, found[0])


def test_a_governor_that_changes_clocks_is_named() -> None:
    assert "powersave" in doubts_of(HOST.model_copy(update={"governor": "powersave"}), CALM)[0]


def test_threads_are_pinned_to_cpus_this_process_may_use() -> None:
    pinned = cpus_for(1)

    assert pinned is not None
    assert set(pinned) <= set(usable_cpus())
    assert len(pinned) == 1
