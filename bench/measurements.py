"""What is measured, raw: samples, bytes and logits, and the three outcomes of a case.

It knows no statistic: what is derived from these values stands in summaries.
"""

from enum import Enum
from typing import Literal

from bench.records import Record


class Block(Record):
    """One turn of a case: consecutive inference times in nanoseconds, and which turn of the wave it was."""

    turn: int
    ns: tuple[int, ...]


class ProcessTiming(Record):
    """What one fresh process measured: import of the runtime, loading, first inference, then its turns.

    `wave`: which cases it took turns with; those of another wave met another mood of the machine.
    """

    wave: int
    import_ns: int
    load_ns: int
    first_inference_ns: int
    blocks: tuple[Block, ...]


class Memory(Record):
    """Resident bytes of a process of its own: runtime imported, artifact loaded, and at its peak.

    `peak_bytes` is the kernel's high-water mark from before loading to after some inferences; null where
    the kernel keeps none.
    """

    runtime_bytes: int
    loaded_bytes: int
    peak_bytes: int | None


class Stage(str, Enum):
    """Where in a case something went wrong."""

    START = "start"
    LOAD = "load"
    FIRST_INFERENCE = "first inference"
    WARM_UP = "warm-up"
    TIMING = "timing"
    MEMORY = "memory"
    ACCURACY = "accuracy"


class FailureKind(str, Enum):
    """How a worker died."""

    ERROR = "error"
    CRASH = "crash"
    KILLED = "killed"
    ILLEGAL_INSTRUCTION = "illegal instruction"
    HANG = "hang"
    EXIT = "exit"
    GARBAGE = "garbage"


class Completed(Record):
    """A case that ran: the runtime's version, its timing, memory and logits [images][classes]."""

    status: Literal["completed"] = "completed"
    runtime: str
    processes: tuple[ProcessTiming, ...]
    memory: Memory
    logits: tuple[tuple[float, ...], ...]
    warnings: tuple[str, ...] = ()


class Skipped(Record):
    """A case that cannot run here, and why."""

    status: Literal["skipped"] = "skipped"
    reason: str


class Failed(Record):
    """A case that was tried and failed."""

    status: Literal["failed"] = "failed"
    stage: Stage
    kind: FailureKind
    message: str


Outcome = Completed | Skipped | Failed
