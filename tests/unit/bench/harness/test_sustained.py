"""A sustained run: hours of it, what it keeps, and how it goes on when interrupted. The clock is faked."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from making.faulty_plan import Silent
from making.tiny_report import CALM

from bench.harness.journal import Journal
from bench.harness.sustained import SustainedPass
from bench.harness.sustained_blocks import MOST_BLOCKS, BoundedBlocks, block_of, blocks_of, joined
from bench.measurements import Block, SustainedBlock, SustainedRun, SystemCounters

HOURS_S = 3 * 3600
SLOW_NS = 250_000_000


def counters(elapsed_ns: int, clock_khz: int | None = 1_500_000) -> SystemCounters:
    return SystemCounters(
        elapsed_ns=elapsed_ns,
        cpus=2,
        cpu_ns=elapsed_ns,
        busy_ns=elapsed_ns + 1,
        steal_ns=0,
        preemptions=3,
        clock_khz=clock_khz,
    )


def inferred(count: int, each_ns: int = SLOW_NS) -> SustainedBlock:
    return block_of((each_ns,) * count, counters(each_ns * count))


@dataclass
class Interrupted:
    """Inferences of a quarter of a second, until the power goes after so many blocks."""

    blocks: int
    asked: list[int] = field(default_factory=list)

    def __call__(self, count: int) -> SustainedBlock:
        if len(self.asked) == self.blocks:
            raise KeyboardInterrupt
        self.asked.append(count)
        return inferred(count)


def run(journal: Journal, seconds: float, measure: Callable[[int], SustainedBlock | None]) -> None:
    SustainedPass("a", seconds, journal, Silent(), measure, lambda: CALM).run(CALM, SLOW_NS)


def test_hours_take_no_more_memory_and_no_larger_a_report_than_half_an_hour() -> None:
    most = 0

    def measure(count: int) -> SustainedBlock:
        nonlocal most
        most = max(most, len(journal.state.sustaining["a"].blocks.blocks))
        return inferred(count)

    with Journal("hours", resume=False) as journal:
        run(journal, HOURS_S, measure)
        measured = journal.state.sustained["a"]

    assert most <= MOST_BLOCKS
    assert len(measured.model_dump_json()) < 1e6
    assert sum(block.blocks for block in measured.figures) == HOURS_S
    assert sum(block.inferences for block in measured.figures) == 4 * HOURS_S
    assert sum(block.elapsed_ns for block in measured.figures) == HOURS_S * 10**9
    assert {block.p50_ns for block in measured.figures} == {SLOW_NS}


def test_an_interrupted_run_goes_on_with_what_the_journal_has() -> None:
    with pytest.raises(KeyboardInterrupt), Journal("cut", resume=False) as journal:
        run(journal, 100, Interrupted(40))
    with Journal("cut", resume=True) as journal:
        rest = Interrupted(1000)
        run(journal, 100, rest)
        measured = journal.state.sustained["a"]
    with Journal("cut", resume=True) as journal:
        assert journal.state.sustained["a"] == measured

    assert rest.asked == [4] * 60
    assert len(measured.figures) == 100
    assert measured.resumed_at_s == (40.0,)


def test_a_block_in_which_everything_stood_still_is_dropped_and_marked() -> None:
    answers: list[SustainedBlock | None] = [inferred(4), None, inferred(4), inferred(4)]

    with Journal("stopped", resume=False) as journal:
        run(journal, 3, lambda _: answers.pop(0))
        measured = journal.state.sustained["a"]

    assert len(measured.figures) == 3
    assert measured.resumed_at_s == (1.0,)


def test_a_loss_of_power_costs_half_a_minute_of_a_sustained_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not synced is lost. In between nothing waits for the disk."""
    synced: list[int] = []
    with Journal("synced", resume=False) as journal:
        monkeypatch.setattr(os, "fsync", lambda _: synced.append(journal.path.read_bytes().count(b"\n")))
        run(journal, 100, inferred)

    assert synced == [1, 31, 61, 91, 102]


def test_joined_blocks_say_what_both_say() -> None:
    one = block_of([10, 20, 60], counters(90, clock_khz=1_000))
    other = block_of([30, 30], counters(30, clock_khz=None))

    both = joined(one, other)

    assert (both.elapsed_ns, both.inferences, both.blocks) == (120, 5, 2)
    assert both.p50_ns == (20 * 90 + 30 * 30) / 120
    assert (both.min_ns, both.max_ns) == (10, 60)
    assert both.counters is not None
    assert (both.counters.elapsed_ns, both.counters.preemptions) == (120, 6)
    assert both.counters.clock_khz == 1_000
    assert joined(one, block_of([30], None)).counters is None


def test_joining_keeps_the_order_and_the_whole_time() -> None:
    kept = BoundedBlocks()
    for number in range(5 * MOST_BLOCKS + 3):
        kept.add(block_of([number + 1] * 2, None))

    levels = [block.p50_ns for block in kept.blocks]
    assert levels == sorted(levels)
    assert len({block.blocks for block in kept.blocks[:-1]}) == 1
    assert kept.elapsed_ns == sum(block.elapsed_ns for block in kept.blocks)


def test_a_run_of_an_earlier_version_has_the_figures_of_its_samples() -> None:
    block = Block(pass_index=0, position=0, ns=(3, 1, 2), counters=None)
    old = SustainedRun(blocks=(block,), before=CALM, after=CALM)

    (figures,) = blocks_of(old)

    assert (figures.elapsed_ns, figures.p50_ns, figures.inferences) == (6, 2.0, 3)
