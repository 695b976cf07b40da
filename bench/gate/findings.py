"""The findings of the gate: one for each quantity of a variant. `blocking.py` decides which of them block."""

from enum import Enum
from typing import Literal

from pydantic import Field

from bench.record import Record


class Verdict(str, Enum):
    """How a quantity, or a whole variant, changed from the baseline to the candidate."""

    SAME = "SAME"
    BETTER = "BETTER"
    WORSE = "WORSE"
    UNDECIDED = "UNDECIDED"
    NEW = "NEW"
    MISSING = "MISSING"
    BROKE = "BROKE"
    FIXED = "FIXED"
    INCOMPARABLE = "INCOMPARABLE"


class Quantity(str, Enum):
    """What is compared. `CASE` is the variant itself: whether it exists and runs. `RECALL` is one class's."""

    CASE = "case"
    LATENCY = "latency"
    LOAD_TIME = "load time"
    MEMORY = "memory"
    SIZE = "size"
    ACCURACY = "accuracy"
    RECALL = "recall"
    OUTPUTS = "outputs"


SHARE_SAME: Literal["share same"] = "share same"
DECIBELS: Literal["dB"] = "dB"


class Finding(Record):
    """The verdict on one quantity of a case."""

    case: str
    """The id of the case: `onnx-int8`, or `onnx-int8@cuda` on another provider than the CPU."""
    variant: str
    """Its variant."""
    provider: str
    """Its provider, by the runtime's own name."""
    quantity: Quantity = Field(strict=False)
    """What was compared."""
    class_name: str | None = None
    """The class that a recall is about: its name, or its number; `not` and the name of one of several labels
    for the images to which it does not apply. Null of another quantity."""
    is_positive: bool = False
    """Whether that class is the positive one: then its recall is the sensitivity."""
    verdict: Verdict = Field(strict=False)
    """How it changed."""
    sentence: str
    """The reason for the verdict."""
    ratio: float | None = None
    """Candidate ÷ baseline."""
    interval: tuple[float, float] | None = None
    """The ratio's interval; of outputs that of the share of equal classes. Null where the figure is exact or
    unknown."""
    confidence: float | None = None
    """The interval's confidence, corrected for the number of comparisons."""
    p: float | None = None
    """The one-sided p-value of a loss of accuracy or recall, by the exact paired test; null of all else."""
    limit: float | None = None
    """How much worse the candidate may be, as a share of the baseline; of accuracy and recall the lowest
    ratio; of outputs the lowest `candidate`."""
    baseline: float | None = None
    """The baseline's value, in `unit`."""
    candidate: float | None = None
    """The candidate's value, in `unit`. Of outputs the share of items with the baseline's class, or the
    signal-to-quantisation-noise ratio of their values, which is null if they are equal."""
    unit: Literal["ns", "bytes", "share right", "share same", "dB"] | None = None
    """The unit of the two values."""
    images: int | None = None
    """The number of images of a recall's class; null of all else."""
    newly_missed: int | None = None
    """How many of them the baseline recognises and the candidate does not; null of all else."""
    confirmed: bool = False
    """Whether it is based only on a confirmation run in fresh processes."""
    flips: int | None = None
    """The number of evaluation images, or of inputs, that changed their class; null of another quantity than
    accuracy and outputs, and of outputs without classes."""
