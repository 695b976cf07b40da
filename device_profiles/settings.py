"""What a profile asks for, as opposed to what it knows: how long to measure, and which limits to meet."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from device_profiles.facts import Source
from device_profiles.part import Part

# The source in profiles of older reports; a file that is read needs a source of its own.
NOT_RECORDED = "not recorded by that version of edgefit"


class Sampling(Part):
    """How long a case is measured, in fresh processes that are interleaved with those of other cases."""

    check_after_processes: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(min_length=1)
    """After how many processes edgefit checks whether the interval of the median is narrow enough. A check
    with fewer than five processes gives no interval."""
    warm_up: int = Field(ge=1, le=1_000_000)
    """The largest number of inferences before the first one that counts. Warm-up ends earlier if the latency
    is steady, or after 10 s."""
    blocks: int = Field(ge=1, le=100_000)
    """The number of blocks in each process."""
    block_samples: int = Field(ge=1, le=1_000_000)
    """The number of inferences in each block. A block has fewer, but at least three, if it would take longer
    than block_s."""
    block_s: float = Field(default=0.3, gt=0, le=3600)
    """The longest time of a block, in seconds."""
    interval: float = Field(default=0.02, gt=0, lt=1)
    """Measuring ends once the interval of the median lies within this share of the median."""
    time_limit_s: float = Field(gt=0, le=1_000_000)
    """How long the latencies of all cases of a group may take, in seconds. The starts of processes count,
    cooling does not. Up to the first check each process has its share of it, and at least one block. After
    it no process starts that would not end in time. The option `--seconds` takes its place."""
    time_limit_each_s: float = Field(default=0, ge=0, le=1_000_000)
    """Seconds for each case of a group; a group of many cases may take so long, if that is more than
    time_limit_s."""
    hang_limit_s: float = Field(default=120, ge=1, le=86_400)
    """A worker is ended after this many seconds without an answer."""
    cool_to_c: float | None = Field(default=None, ge=20, le=150)
    """Each repetition waits until the hottest thermal zone has cooled to this temperature, in °C."""
    cool_limit_s: float = Field(default=120, ge=0, le=86_400)
    """The longest wait for cool_to_c, in seconds."""
    kind: Literal["chosen"] = "chosen"
    """Always chosen: these numbers are a choice."""
    source: Source = NOT_RECORDED
    """Who chose these numbers, and why."""

    @field_validator("check_after_processes")
    @classmethod
    def _grow(cls, check_after_processes: tuple[int, ...]) -> tuple[int, ...]:
        if list(check_after_processes) != sorted(set(check_after_processes)):
            raise ValueError("must be increasing numbers of processes, such as [5, 8, 12]")
        return check_after_processes


class Budget(Part):
    """The limits that a variant must meet on this device; null means no limit."""

    p95_ms: float | None = Field(default=None, gt=0)
    """The limit of p95 latency, in milliseconds."""
    memory_mb: float | None = Field(default=None, gt=0)
    """The limit of peak memory, in MiB."""
    size_mb: float | None = Field(default=None, gt=0)
    """The limit of the artifact's size, in MB (10^6 bytes)."""
    retention: float | None = Field(default=None, gt=0, le=1)
    """The smallest retention: the variant's accuracy ÷ the reference's."""
    kind: Literal["chosen"] = "chosen"
    """Always chosen: these limits are a choice."""
    source: Source = NOT_RECORDED
    """Who chose these limits, and why."""
