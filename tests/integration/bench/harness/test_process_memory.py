"""Memory in a pass of its own: what a runtime allocates is what is shown."""

from pathlib import Path
from typing import NamedTuple

import pytest
from making.faulty_plan import case, outcomes_of, plan

from bench.harness import process_memory
from bench.measurements import Completed, ProcessMemory

MIB = 1 << 20


class Bytes(NamedTuple):
    """Memory of which the kernel told every figure."""

    runtime: int
    loaded: int
    peak: int
    proportional: int

    @classmethod
    def of(cls, memory: ProcessMemory) -> "Bytes":
        assert memory.peak_bytes is not None
        assert memory.proportional_bytes is not None
        return cls(memory.runtime_bytes, memory.loaded_bytes, memory.peak_bytes, memory.proportional_bytes)


def test_a_runtime_that_allocates_64_mib_shows_64_mib(tmp_path: Path) -> None:
    holding = case(tmp_path, "holding", "allocate load")
    passing = case(tmp_path, "passing", "allocate-and-free infer")
    plain = case(tmp_path, "plain")

    outcomes = outcomes_of(plan(tmp_path, [holding, passing, plain]))

    found = {name: outcome.memory for name, outcome in outcomes.items() if isinstance(outcome, Completed)}
    held, passed, least = (Bytes.of(found[name]) for name in ("holding", "passing", "plain"))
    assert (held.loaded - held.runtime) / MIB == pytest.approx(64, abs=2)
    assert (held.peak - least.peak) / MIB == pytest.approx(64, abs=2)
    assert (held.proportional - least.proportional) / MIB == pytest.approx(64, abs=2)
    assert (passed.loaded - passed.runtime) / MIB == pytest.approx(0, abs=2)
    assert (passed.peak - passed.loaded) / MIB == pytest.approx(64, abs=2)


# A worker holds the file open until it ends.
@pytest.mark.filterwarnings("ignore:unclosed file .*clear_refs:ResourceWarning")
def test_this_process_has_memory_and_a_mark_of_its_own() -> None:
    mark = process_memory.HighWaterMark()
    assert mark.read_bytes() is None
    mark.reset()
    high = mark.read_bytes()
    proportional = process_memory.proportional_bytes()

    assert high is not None
    assert proportional is not None
    assert 0 < proportional <= process_memory.resident_bytes() <= high + MIB
