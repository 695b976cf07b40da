"""What a profile asks for, rather than knows: how long to measure, and what would be too much."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from device_profiles.facts import Source
from device_profiles.part import Part

# What profiles in reports of before say; a file that is read needs a source of its own.
NOT_TOLD = "not told by the edgefit of that time"


class Sampling(Part):
    """How long a case is measured, in fresh processes that take turns with those of other cases.

    `check_after_processes`: after how many processes it is looked whether the interval of the median is
    within `interval` (a share of the median; no look at fewer than five can say so). `warm_up`: inferences at
    the most before the first that counts, if the level is not steady before. Each process has `blocks` turns
    of `block_samples` inferences, or fewer of them (never below three) once a turn would take longer than
    `block_s` seconds. `time_limit_s`: seconds of loading, warm-up and timed inference of a wave, all its
    cases together. Up to the first look each process has its share of it and at least one turn; after it no
    process is added once the limit is reached. `hang_limit_s`: seconds of silence after which a worker is
    ended. `cool_to_c`: each round waits until the hottest thermal zone is as cool, `cool_limit_s` seconds at
    the most. `source`: who chose these numbers, and why.
    """

    check_after_processes: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(min_length=1)
    warm_up: int = Field(ge=1, le=1_000_000)
    blocks: int = Field(ge=1, le=100_000)
    block_samples: int = Field(ge=1, le=1_000_000)
    block_s: float = Field(default=0.3, gt=0, le=3600)
    interval: float = Field(default=0.02, gt=0, lt=1)
    time_limit_s: float = Field(gt=0, le=1_000_000)
    hang_limit_s: float = Field(default=120, ge=1, le=86_400)
    cool_to_c: float | None = Field(default=None, ge=20, le=150)
    cool_limit_s: float = Field(default=120, ge=0, le=86_400)
    kind: Literal["chosen"] = "chosen"
    source: Source = NOT_TOLD

    @field_validator("check_after_processes")
    @classmethod
    def _grow(cls, check_after_processes: tuple[int, ...]) -> tuple[int, ...]:
        if list(check_after_processes) != sorted(set(check_after_processes)):
            raise ValueError("must be numbers of processes that grow, such as [5, 8, 12]")
        return check_after_processes


class Budget(Part):
    """Limits a variant should keep on this device; null is no limit. `memory_mb` counts MiB, `size_mb` MB.

    `source`: who chose these limits, and why.
    """

    p95_ms: float | None = Field(default=None, gt=0)
    memory_mb: float | None = Field(default=None, gt=0)
    size_mb: float | None = Field(default=None, gt=0)
    retention: float | None = Field(default=None, gt=0, le=1)
    kind: Literal["chosen"] = "chosen"
    source: Source = NOT_TOLD
