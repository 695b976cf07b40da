"""What is measured, raw: samples, bytes and logits, and the three outcomes of a case.

It knows no statistic: what is derived from these values stands in summaries.
"""

from enum import Enum
from typing import Literal

from bench.record import Record
from bench.system.state import HostState


class SystemCounters(Record):
    """What went on around a block, from before its first to after its last inference.

    `cpus`: how many CPUs it was pinned to, or could use; `cpu_ns`: CPU time of the worker's own process;
    `busy_ns`, `steal_ns`: of those CPUs, by the kernel's ticks of 10 ms, null where it keeps none;
    `preemptions`: how often the kernel took a CPU from the worker; `clock_khz`: the slowest clock of those
    CPUs afterwards, null where it is not told.
    """

    elapsed_ns: int
    cpus: int
    cpu_ns: int
    busy_ns: int | None
    steal_ns: int | None
    preemptions: int
    clock_khz: int | None


class Block(Record):
    """One turn of a case: consecutive inference times in nanoseconds.

    `pass_index`: which of its process's turns it was; `position`: which of all turns of the run.
    """

    pass_index: int
    position: int
    ns: tuple[int, ...]
    counters: SystemCounters | None = None


class ProcessTiming(Record):
    """What one fresh process measured: import of the runtime, loading, first inference, warm-up, its turns.

    `group`: which cases it took turns with; those of another wave met another mood of the machine.
    `repetition`: its number among the case's processes; a round that was cut off and resumed has two.
    `cached_share`: of the artifact's bytes, how many the kernel held in memory before loading. `steady`:
    whether the level was steady when warm-up ended, rather than its limit reached.
    """

    group: int
    repetition: int
    import_ns: int
    load_ns: int
    cached_share: float | None
    first_inference_ns: int
    warm_up_ns: tuple[int, ...]
    steady: bool
    blocks: tuple[Block, ...]


class Memory(Record):
    """Resident bytes of a process of its own: runtime imported, artifact loaded, and at its peak.

    `peak_bytes` is the kernel's high-water mark from before loading to after some inferences, and
    `proportional_bytes` the proportional set size then (shared pages divided among those who share them);
    both null where the kernel keeps none. `device_bytes`: that an accelerator's memory holds more then (the
    whole system's, where they share it), null where there is none or it is not told.
    """

    runtime_bytes: int
    loaded_bytes: int
    peak_bytes: int | None
    proportional_bytes: int | None
    device_bytes: int | None = None

    @property
    def highest_bytes(self) -> int:
        """The peak; what was resident when it was loaded where the kernel keeps none."""
        return self.loaded_bytes if self.peak_bytes is None else self.peak_bytes


class Operator(Record):
    """One convolution or matrix operator of the graph that ran.

    `precision`: fp32, fp16, bf16, int8, or the runtime's own word; `macs`: multiply-accumulates of one
    inference, `elements`: values that it reads and writes, weights among them; null where the graph does not
    tell.
    """

    name: str
    operation: str
    precision: str
    macs: int | None
    elements: int | None = None


class Executed(Record):
    """What the runtime's own executed graph says of precision.

    `source`: where that was read; `casts`: conversions between float types; `quantise`, `dequantise`: the
    steps from float to integers and back. `elsewhere`: other steps that ran on another provider than the one
    asked for, with a copy each way.
    """

    source: str
    operators: tuple[Operator, ...]
    casts: int
    quantise: int
    dequantise: int
    elsewhere: int = 0


class Energy(Record):
    """Joules of one block of `inferences` in `seconds`, by a method and of a domain; idle is not subtracted.

    `idle_watts`: what the same domain drew just before, with the artifact loaded and nothing running.
    """

    method: str
    domain: str
    inferences: int
    seconds: float
    joules: float
    idle_watts: float


class NoEnergy(Record):
    """Why there is no energy."""

    reason: str


class SustainedRun(Record):
    """Blocks of about a second without a pause, and how the machine stood before and after."""

    blocks: tuple[Block, ...]
    before: HostState
    after: HostState


class RepetitionState(Record):
    """How the machine stood before and after one round of a wave."""

    group: int
    repetition: int
    before: HostState
    after: HostState


class Stage(str, Enum):
    """Where in a case something went wrong."""

    START = "start"
    LOAD = "load"
    FIRST_INFERENCE = "first inference"
    WARM_UP = "warm-up"
    TIMING = "timing"
    MEMORY = "memory"
    ACCURACY = "accuracy"
    PRECISION = "proof of precision"
    ENERGY = "energy"
    SUSTAINED = "sustained"


class FailureKind(str, Enum):
    """How a worker died."""

    ERROR = "error"
    CRASH = "crash"
    KILLED = "killed"
    MEMORY = "memory"
    ILLEGAL_INSTRUCTION = "illegal instruction"
    HANG = "hang"
    EXIT = "exit"
    GARBAGE = "garbage"


class End(str, Enum):
    """Why a case's sampling ended."""

    NARROW = "interval narrow enough"
    PROCESSES = "all processes used"
    TIME = "time limit"
    FEW = "too few processes for an interval"
    GROUP = "with its group"


class Completed(Record):
    """A case that ran.

    `runtime`: its version; `logits`: [images][classes], and `executed`: both null for the null runtime and
    the control workload; `predictions_cached_at`: when an earlier run on this machine found these two, null
    if it was this one; `sustained`: null unless asked for; `groups`: into how many waves the run was parted.
    """

    status: Literal["completed"] = "completed"
    runtime: str
    processes: tuple[ProcessTiming, ...]
    ended: End
    memory: Memory
    logits: tuple[tuple[float, ...], ...] | None
    executed: Executed | None
    predictions_cached_at: str | None = None
    energy: Energy | NoEnergy
    sustained: SustainedRun | None = None
    telemetry: tuple[RepetitionState, ...] = ()
    groups: int = 1


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
