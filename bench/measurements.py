"""Raw measurements: samples, bytes and logits, and the three possible outcomes of a case.

This module computes no statistics. bench.report.summaries derives them from these records.
"""

from enum import Enum
from typing import Annotated, Literal

from pydantic import Field

from bench.errors import first_sentence
from bench.record import Record
from bench.system.state import HostState
from user_files.checked_record import Count, PositiveCount


class SystemCounters(Record):
    """The system's counters for a block, from before its first inference until after its last."""

    elapsed_ns: Count
    """Wall-clock time in nanoseconds."""
    cpus: Count
    """Number of CPUs that the worker was pinned to; if it was not pinned, that it could use."""
    cpu_ns: int
    """CPU time of the worker's own process in nanoseconds."""
    busy_ns: int | None
    """Time that those CPUs were busy in nanoseconds, by kernel ticks of 10 ms; null without such counters."""
    steal_ns: int | None
    """Time that a hypervisor took from those CPUs in nanoseconds; null without such counters."""
    preemptions: Count
    """How often the kernel took a CPU away from the worker."""
    clock_khz: Count | None
    """Clock of the slowest of those CPUs after the block, in kHz; null if it is not available."""
    counted_ns: Count | None = None
    """Wall-clock time in nanoseconds in which `busy_ns` and `steal_ns` were counted. It is longer than
    `elapsed_ns`, because other programs may run while the counters are read. Null in older reports."""

    @property
    def window_ns(self) -> int:
        """The wall-clock time in which `busy_ns` and `steal_ns` were counted, as far as it is known."""
        return self.elapsed_ns if self.counted_ns is None else self.counted_ns


class Block(Record):
    """Consecutive samples of one case."""

    pass_index: Count
    """Number of the pass within the repetition, from 0."""
    position: Count
    """Number of the block among all blocks of the run, from 0."""
    ns: tuple[Count, ...]
    """Duration of each inference in nanoseconds, in order."""
    counters: SystemCounters | None = None
    """System counters for the block; null in reports of schema 1 that lack them."""
    output_difference: float | None = None
    """The largest difference between the outputs of one of its inferences, at a random position, and those of
    the accuracy pass for the same input, as a share of the output's largest value. Null if none was compared,
    as in older reports."""
    stopped_ns: Count = 0
    """For how long everything stood still during the block, in nanoseconds, as in a container that is paused.
    Such a block is measured again, so that this is 0 unless that happened every time. 0 in older reports."""


class SustainedBlock(Record):
    """Figures of a block of a sustained run, which lasts about one second.

    A day of samples would be 86 million, so they are not kept. A long run joins neighbouring blocks.
    """

    elapsed_ns: int
    """Wall-clock time in nanoseconds."""
    inferences: int
    """Number of inferences."""
    p50_ns: float
    """Median of its inferences; of joined blocks the mean of their medians, each weighted by its time."""
    min_ns: int
    """The shortest inference."""
    max_ns: int
    """The longest inference."""
    blocks: int = 1
    """How many blocks were joined to this one, itself included."""
    counters: SystemCounters | None = None
    """System counters for the block; of joined blocks their sums, and the slowest clock. Null where they are
    not known."""
    output_difference: float | None = None
    """As in `Block`; of joined blocks the largest."""


class ProcessTiming(Record):
    """Timings of one fresh process: import, loading, first inference, warm-up and blocks."""

    group: Count
    """Number of the group, from 0. The machine's noise may differ from group to group."""
    repetition: Count
    """Number of the repetition, from 0. A repetition that was interrupted and resumed has two processes."""
    import_ns: Count
    """Time to import the runtime, in nanoseconds."""
    load_ns: Count
    """Time to load the artifact, in nanoseconds."""
    cached_share: float | None
    """Share of the artifact's bytes in the kernel's file cache before loading; null if it is unknown."""
    first_inference_ns: Count
    """Duration of the first inference in nanoseconds."""
    warm_up_ns: tuple[Count, ...]
    """Duration of each inference of the warm-up in nanoseconds."""
    steady: bool
    """Whether warm-up ended because latency was steady; if false, it reached its limit."""
    blocks: tuple[Block, ...]
    """The blocks of the process, in order."""
    stopped_ns: Count = 0
    """For how long everything stood still while the process loaded and warmed up, in nanoseconds. 0 in older
    reports."""


class ProcessMemory(Record):
    """Resident memory of a process that runs nothing but this case."""

    runtime_bytes: Count
    """Resident bytes after the runtime was imported."""
    loaded_bytes: PositiveCount
    """Resident bytes after the artifact was loaded."""
    peak_bytes: PositiveCount | None
    """The kernel's high-water mark from before loading until after some inferences; null without one."""
    proportional_bytes: Count | None
    """Proportional set size after those inferences: each shared page is divided among the processes that
    share it. Null if the kernel does not report it."""
    device_bytes: int | None = None
    """Growth of the accelerator's memory use, or of the system's where both share memory; null without an
    accelerator or if it is not available."""

    @property
    def highest_bytes(self) -> int:
        """The peak; where the kernel has no high-water mark, the resident bytes after loading."""
        return self.loaded_bytes if self.peak_bytes is None else self.peak_bytes


class Operator(Record):
    """One convolution or matrix operator of the executed graph."""

    name: str
    """The operator's name in the graph."""
    operation: str
    """The runtime's word for the kind of operator."""
    precision: str
    """`fp32`, `fp16`, `bf16`, `int8`, or the runtime's own word."""
    macs: Count | None
    """Multiply-accumulates of one inference; null if the graph has no shapes."""
    elements: Count | None = None
    """Number of values read and written, weights included; null if the graph has no shapes."""


class Executed(Record):
    """What the runtime's own executed graph shows about precision."""

    source: str
    """Where the graph was read."""
    operators: tuple[Operator, ...]
    """The convolution and matrix operators that ran."""
    casts: Count
    """Number of conversions between float types."""
    quantise: Count
    """Number of steps that convert float to integer."""
    dequantise: Count
    """Number of steps that convert integer to float."""
    elsewhere: Count = 0
    """Number of other steps that ran on another provider than the requested one. Each costs two copies."""
    unaccelerated: Count = 0
    """Number of steps that the runtime's library of fast kernels (XNNPACK in LiteRT) did not take. Kernels of
    the runtime itself computed them."""


class OutputValues(Record):
    """One output of a model file on the run's inputs, for comparison with the same output of other files."""

    name: str
    """The output's name."""
    shape: tuple[Count, ...] | None
    """Its shape in one inference; null where it differs from one inference to another, as of detections."""
    classes: tuple[Count, ...] | None
    """The index of the largest value for each item of a batch, inference by inference, where the output has
    the shape of classes: two axes, or four of which the last two have size 1. Null where it has another."""
    values: tuple[tuple[float, ...], ...]
    """Its values, inference by inference, in order. Of a large output a sample at random positions, which are
    the same for every file."""


class Energy(Record):
    """Energy of a series of inferences without a pause. Idle energy is not subtracted."""

    method: str
    """How the energy was measured."""
    domain: str
    """The part of the machine whose energy was measured."""
    inferences: PositiveCount
    """Number of inferences."""
    seconds: float
    """Duration of the measurement."""
    joules: float
    """Energy that the domain used in that time."""
    idle_watts: float
    """Power of the domain just before, with the artifact loaded and nothing running."""


class NoEnergy(Record):
    """A case whose energy was not measured."""

    reason: str
    """Why there is no measurement."""


class SustainedRun(Record):
    """Blocks of about one second each, without a pause between them."""

    blocks: tuple[Block, ...] = ()
    """The blocks with every sample, in order, in reports of earlier versions; else empty."""
    figures: tuple[SustainedBlock, ...] = ()
    """The figures of the blocks, in order: at most 1800, for which a run of over half an hour joins blocks.
    Empty where `blocks` has them."""
    resumed_at_s: tuple[float, ...] = ()
    """After how many seconds of measuring the run was interrupted, or everything stood still, and the run
    went on. Then the machine cooled."""
    before: HostState
    """State of the machine before the first block, or since it was last resumed."""
    after: HostState
    """State of the machine after the last block."""


class RepetitionState(Record):
    """State of the machine before and after one repetition of a group."""

    group: Count
    """Number of the group, from 0."""
    repetition: Count
    """Number of the repetition, from 0."""
    before: HostState
    """State before the first process loaded its artifact."""
    after: HostState
    """State after the last block."""


class Stage(str, Enum):
    """The stages of a case, as failures name them."""

    START = "start"
    LOAD = "load"
    FIRST_INFERENCE = "first inference"
    WARM_UP = "warm-up"
    TIMING = "timing"
    MEMORY = "memory"
    ACCURACY = "accuracy"
    OUTPUTS = "outputs"
    PRECISION = "proof of precision"
    ENERGY = "energy"
    SUSTAINED = "sustained"


class FailureKind(str, Enum):
    """How a worker failed."""

    ERROR = "error"
    CRASH = "crash"
    KILLED = "killed"
    MEMORY = "memory"
    ILLEGAL_INSTRUCTION = "illegal instruction"
    HANG = "hang"
    EXIT = "exit"
    GARBAGE = "garbage"
    WRONG_OUTPUT = "wrong output"
    CHANGED = "changed file"


class End(str, Enum):
    """Why the sampling of a case ended."""

    NARROW = "interval narrow enough"
    PROCESSES = "all processes used"
    TIME = "time limit"
    FEW = "too few processes for an interval"
    GROUP = "with its group"


class RepeatedInputs(Record):
    """Inputs that a process never had, and then had again, in a process that is not used for other times."""

    first_ns: tuple[Count, ...]
    """Duration of the inference of each input when it was new, in nanoseconds."""
    again_ns: tuple[Count, ...]
    """Duration of the same inferences when each input was there for the second time."""


class Completed(Record):
    """A case that ran to its end."""

    status: Literal["completed"] = "completed"
    """The word that identifies this outcome."""
    runtime: str
    """Name and version of the runtime."""
    processes: tuple[ProcessTiming, ...]
    """Timings of each process, in the order in which the processes ran."""
    ended: End = Field(strict=False)
    """Why sampling ended."""
    memory: ProcessMemory
    """Resident memory of a separate process."""
    logits: tuple[tuple[float, ...], ...] | None
    """Logits [images][classes]; null for the controls, and for a model file."""
    outputs: tuple[OutputValues, ...] | None = None
    """The outputs of a model file; null for an artifact of a bundle, and for the controls."""
    inputs_sha256: str | None = None
    """SHA-256 of the inputs of these outputs, or of the data behind them; null without outputs."""
    executed: Executed | None
    """The executed graph; null for the null runtime and the control workload, and if it could not be read."""
    proof_failure: str | None = None
    """Why the executed graph of an artifact could not be read; null where it was."""
    predictions_cached_at: str | None = None
    """When an earlier run on this machine computed logits and executed graph (ISO 8601); null if this run
    did."""
    energy: Energy | NoEnergy
    """The energy, or why it was not measured."""
    sustained: SustainedRun | None = None
    """The sustained run; null if none was requested."""
    telemetry: tuple[RepetitionState, ...] = ()
    """State of the machine around each repetition of the case."""
    groups: PositiveCount = 1
    """Number of groups that the run's cases were split into."""
    repeats: RepeatedInputs | None = None
    """How long new inputs take, and the same again; null for the controls, without an input that could be
    changed to a new one, and in older reports."""

    @property
    def output_differences(self) -> tuple[float, ...]:
        """The difference of each timed inference whose outputs were compared; empty in older reports."""
        differences = [block.output_difference for process in self.processes for block in process.blocks]
        if self.sustained is not None:
            differences += [block.output_difference for block in self.sustained.blocks]
            differences += [block.output_difference for block in self.sustained.figures]
        return tuple(difference for difference in differences if difference is not None)

    @property
    def largest_output_difference(self) -> float | None:
        """The largest of them; None if none was compared."""
        return max(self.output_differences, default=None)


class Skipped(Record):
    """A case that cannot run on this machine."""

    status: Literal["skipped"] = "skipped"
    """The word that identifies this outcome."""
    reason: str
    """Why the case cannot run."""


class Failed(Record):
    """A case that started and failed."""

    status: Literal["failed"] = "failed"
    """The word that identifies this outcome."""
    stage: Stage = Field(strict=False)
    """The stage in which it failed."""
    kind: FailureKind = Field(strict=False)
    """How its worker failed."""
    message: str
    """What the runtime or the system reported, in full."""

    @property
    def reason(self) -> str:
        """Why it failed, in one line."""
        return f"{self.kind.value} in stage {self.stage.value}: {first_sentence(self.message)}"


Outcome = Annotated[Completed | Skipped | Failed, Field(discriminator="status")]
