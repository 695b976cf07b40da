"""Memory in a pass of its own: what a runtime allocates is what is shown."""

from pathlib import Path

import pytest
from making.faulty_plan import case, outcomes_of, plan

from bench.harness import process_memory
from bench.measurements import Completed

MIB = 1 << 20


def test_a_runtime_that_allocates_64_mib_shows_64_mib(tmp_path: Path) -> None:
    holding = case(tmp_path, "holding", "allocate load")
    passing = case(tmp_path, "passing", "allocate-and-free infer")
    plain = case(tmp_path, "plain")

    outcomes = outcomes_of(plan(tmp_path, [holding, passing, plain]))

    found = {name: outcome.memory for name, outcome in outcomes.items() if isinstance(outcome, Completed)}
    held = found["holding"]
    assert (held.loaded_bytes - held.runtime_bytes) / MIB == pytest.approx(64, abs=2)
    assert (held.peak_bytes - found["plain"].peak_bytes) / MIB == pytest.approx(64, abs=2)
    assert (held.proportional_bytes - found["plain"].proportional_bytes) / MIB == pytest.approx(64, abs=2)
    passed = found["passing"]
    assert (passed.loaded_bytes - passed.runtime_bytes) / MIB == pytest.approx(0, abs=2)
    assert (passed.peak_bytes - passed.loaded_bytes) / MIB == pytest.approx(64, abs=2)


def test_this_process_has_memory_and_a_mark_of_its_own() -> None:
    mark = process_memory.HighWaterMark()
    assert mark.read_bytes() is None
    mark.reset()
    high = mark.read_bytes()
    proportional = process_memory.proportional_bytes()

    assert high is not None
    assert proportional is not None
    assert 0 < proportional <= process_memory.resident_bytes() <= high + MIB
