"""The blocks of a sustained run: their figures, and never more of them than a limit. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.measurements import SustainedBlock, SustainedRun, SystemCounters
from bench.units import NS_PER_S

# Half an hour of blocks of one second: more points than a chart shows, and 0.5 MB of a report.
MOST_BLOCKS = 1800


@dataclass
class BoundedBlocks:
    """The blocks of a run so far. Each time that they exceed the limit, neighbours are joined in pairs."""

    blocks: list[SustainedBlock] = field(default_factory=list)
    """The blocks, in order."""
    elapsed_ns: int = 0
    """How long they took together."""
    _joined: int = field(default=1, init=False)

    def add(self, block: SustainedBlock) -> None:
        """Add a block that was just measured."""
        self.elapsed_ns += block.elapsed_ns
        if self.blocks and self.blocks[-1].blocks < self._joined:
            self.blocks[-1] = joined(self.blocks[-1], block)
        else:
            self.blocks.append(block)
        if len(self.blocks) > MOST_BLOCKS:
            self._joined *= 2
            self.blocks = _in_pairs(self.blocks)

    @property
    def elapsed_s(self) -> float:
        """How long they took together, in seconds."""
        return self.elapsed_ns / NS_PER_S


def blocks_of(run: SustainedRun) -> tuple[SustainedBlock, ...]:
    """Return the figures of a run's blocks, also of an earlier version's, which has every sample."""
    return run.figures or tuple(block_of(block.ns, block.counters) for block in run.blocks)


def block_of(
    samples_ns: Sequence[int], counters: SystemCounters | None, output_difference: float | None = None
) -> SustainedBlock:
    """Return the figures of a block; `counters`: None in reports that lack them."""
    return SustainedBlock(
        elapsed_ns=sum(samples_ns) if counters is None else counters.elapsed_ns,
        inferences=len(samples_ns),
        p50_ns=float(median(samples_ns)),
        min_ns=min(samples_ns),
        max_ns=max(samples_ns),
        counters=counters,
        output_difference=output_difference,
    )


def joined(one: SustainedBlock, other: SustainedBlock) -> SustainedBlock:
    """Return the figures of two neighbouring blocks together."""
    elapsed_ns = one.elapsed_ns + other.elapsed_ns
    weighted = one.p50_ns * one.elapsed_ns + other.p50_ns * other.elapsed_ns
    return SustainedBlock(
        elapsed_ns=elapsed_ns,
        inferences=one.inferences + other.inferences,
        p50_ns=weighted / elapsed_ns,
        min_ns=min(one.min_ns, other.min_ns),
        max_ns=max(one.max_ns, other.max_ns),
        blocks=one.blocks + other.blocks,
        counters=_counters_of(one.counters, other.counters),
        output_difference=_largest(one.output_difference, other.output_difference),
    )


def _in_pairs(blocks: Sequence[SustainedBlock]) -> list[SustainedBlock]:
    pairs = [joined(one, other) for one, other in zip(blocks[::2], blocks[1::2], strict=False)]
    return [*pairs, *blocks[2 * len(pairs) :]]


def _counters_of(one: SystemCounters | None, other: SystemCounters | None) -> SystemCounters | None:
    if one is None or other is None:
        return None
    return SystemCounters(
        elapsed_ns=one.elapsed_ns + other.elapsed_ns,
        cpus=max(one.cpus, other.cpus),
        cpu_ns=one.cpu_ns + other.cpu_ns,
        busy_ns=_sum(one.busy_ns, other.busy_ns),
        steal_ns=_sum(one.steal_ns, other.steal_ns),
        preemptions=one.preemptions + other.preemptions,
        clock_khz=min(
            (clock for clock in (one.clock_khz, other.clock_khz) if clock is not None), default=None
        ),
        counted_ns=_sum(one.counted_ns, other.counted_ns),
    )


def _largest(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
