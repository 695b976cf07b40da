"""What one benchmark is to do. The command line builds it, `benchmark` takes it, a board receives it."""

from collections.abc import Mapping

from pydantic import Field

from bench.record import Record

QUICK_IMAGES = 128
"""How many images of the evaluation pack a quick run evaluates."""


class BenchmarkRequest(Record):
    """One run of the harness over a bundle, under a profile."""

    only: tuple[str, ...] = ()
    """The variants to measure; all of the bundle's if it is empty."""

    quick: bool = False
    """Whether the profile's short sampling and the first `QUICK_IMAGES` images are enough."""

    name: str | None = None
    """The report's name; None for the bundle's."""

    seconds: float | None = Field(default=None, gt=0)
    """How many seconds the latencies of all cases together may take; None for the profile's limit."""

    sustained_s: float | None = None
    """How many seconds each case runs without a pause, in a pass of its own; None for no such pass."""

    resume: bool = False
    """Whether to continue an interrupted run of the same bundle, profile and options."""

    keep_environment: bool = False
    """Whether the measured processes keep the variables that decide the threads and kernels of libraries."""

    excluded_formats: Mapping[str, str] = Field(default_factory=dict)
    """The formats that are not measured on this machine, each with the reason."""

    tool: str
    """The version of edgefit that was called."""

    created: str
    """When it was called, in ISO 8601."""
