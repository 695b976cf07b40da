"""The entries of a run's journal, and the state that they add up to.

Each entry is written as soon as its measurement is there. Applying the entries again restores the state, so
that an interrupted run can be resumed.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.harness.sustained_blocks import BoundedBlocks
from bench.measurements import (
    Block,
    End,
    Energy,
    Executed,
    Failed,
    NoEnergy,
    OutputValues,
    ProcessMemory,
    ProcessTiming,
    RepeatedInputs,
    RepetitionState,
    Skipped,
    SustainedBlock,
    SustainedRun,
)
from bench.record import Record
from bench.system.state import HostState


class Examined(Record):
    """The examination of a case: its memory, accuracy and precision, from a separate process."""

    kind: Literal["examined"] = "examined"
    case: str
    """The case's id."""
    runtime: str
    """Name and version of the runtime."""
    memory: ProcessMemory
    """Resident memory of the process."""
    logits: tuple[tuple[float, ...], ...] | None
    """See Completed."""
    outputs: tuple[OutputValues, ...] | None = None
    """See Completed."""
    inputs_sha256: str | None = None
    """See Completed."""
    executed: Executed | None
    """See Completed."""
    proof_failure: str | None = None
    """See Completed."""
    predictions_cached_at: str | None
    """When an earlier run computed logits and executed graph (ISO 8601); null if this run did."""
    repeats: RepeatedInputs | None = None
    """See Completed."""


class Grouped(Record):
    """The cases are split into groups. The cases of a group are in memory together."""

    kind: Literal["grouped"] = "grouped"
    groups: tuple[tuple[str, ...], ...]
    """The case ids of each group."""


class ProcessStarted(Record):
    """A process of a case is warm. Its blocks follow as entries of their own."""

    kind: Literal["process_started"] = "process_started"
    case: str
    """The case's id."""
    process: ProcessTiming
    """The timings so far, without a block."""


class BlockMeasured(Record):
    """A block of the latest process of a case."""

    kind: Literal["block_measured"] = "block_measured"
    case: str
    """The case's id."""
    block: Block
    """The block's samples."""


class Ended(Record):
    """A case ended early, because it failed or cannot run here."""

    kind: Literal["ended"] = "ended"
    case: str
    """The case's id."""
    outcome: Annotated[Failed | Skipped, Field(discriminator="status")]
    """How the case ended."""


class SamplingEnded(Record):
    """A case needs no more processes."""

    kind: Literal["sampling_ended"] = "sampling_ended"
    case: str
    """The case's id."""
    end: End = Field(strict=False)
    """Why sampling ended."""


class RepetitionObserved(Record):
    """The state of the machine before and after a repetition."""

    kind: Literal["repetition_observed"] = "repetition_observed"
    state: RepetitionState
    """The two states, and which repetition they belong to."""


class EnergyMeasured(Record):
    """The energy of a case."""

    kind: Literal["energy_measured"] = "energy_measured"
    case: str
    """The case's id."""
    energy: Energy | NoEnergy
    """The energy, or why it was not measured."""


class SustainedStarted(Record):
    """The sustained run of a case begins, or goes on after an interruption. Its blocks follow."""

    kind: Literal["sustained_started"] = "sustained_started"
    case: str
    """The case's id."""
    before: HostState
    """State of the machine before."""


class SustainedBlockMeasured(Record):
    """A block of the sustained run of a case."""

    kind: Literal["sustained_block_measured"] = "sustained_block_measured"
    case: str
    """The case's id."""
    block: SustainedBlock
    """The block's figures."""


class SustainedEnded(Record):
    """The sustained run of a case has lasted as long as was requested."""

    kind: Literal["sustained_ended"] = "sustained_ended"
    case: str
    """The case's id."""
    after: HostState
    """State of the machine after it."""


class SustainedMeasured(Record):
    """The whole sustained run of a case, as earlier versions wrote it."""

    kind: Literal["sustained_measured"] = "sustained_measured"
    case: str
    """The case's id."""
    run: SustainedRun
    """The blocks of the run."""


Entry = (
    Examined
    | Grouped
    | ProcessStarted
    | BlockMeasured
    | Ended
    | SamplingEnded
    | RepetitionObserved
    | EnergyMeasured
    | SustainedStarted
    | SustainedBlockMeasured
    | SustainedEnded
    | SustainedMeasured
)
ENTRIES: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


@dataclass
class SustainedSoFar:
    """What a journal has of a sustained run that has not ended."""

    before: HostState
    """State of the machine before the first block, or since the run was last resumed."""
    blocks: BoundedBlocks = field(default_factory=BoundedBlocks)
    """The blocks so far."""
    resumed_at_s: tuple[float, ...] = ()
    """After how many seconds of measuring the run was resumed."""

    def resume(self, before: HostState) -> None:
        """Go on after an interruption."""
        self.before = before
        if self.blocks.blocks:
            self.resumed_at_s = (*self.resumed_at_s, self.blocks.elapsed_s)

    def end(self, after: HostState) -> SustainedRun:
        """Return the whole run."""
        figures = tuple(self.blocks.blocks)
        return SustainedRun(figures=figures, resumed_at_s=self.resumed_at_s, before=self.before, after=after)


@dataclass
class JournalState:
    """Everything that a run has measured so far. The keys of the dictionaries are case ids."""

    examined: dict[str, Examined] = field(default_factory=dict)
    """The examination of each case that has one."""
    groups: tuple[tuple[str, ...], ...] | None = None
    """The case ids of each group; None before the cases are grouped."""
    processes: dict[str, list[ProcessTiming]] = field(default_factory=dict)
    """The processes of each case, in the order of their start."""
    ended: dict[str, Failed | Skipped] = field(default_factory=dict)
    """The outcome of each case that ended early."""
    sampling_ended: dict[str, End] = field(default_factory=dict)
    """Why sampling ended, for each case that needs no more processes."""
    repetition_states: list[RepetitionState] = field(default_factory=list)
    """The state of the machine around each repetition."""
    energy: dict[str, Energy | NoEnergy] = field(default_factory=dict)
    """The energy of each case that has one."""
    sustaining: dict[str, SustainedSoFar] = field(default_factory=dict)
    """The sustained run so far of each case whose run began."""
    sustained: dict[str, SustainedRun] = field(default_factory=dict)
    """The sustained run of each case that has one."""
    blocks_measured: int = 0
    """Number of blocks in the journal, of all cases together."""
    time_used_ns: Counter[int] = field(default_factory=Counter)
    """Nanoseconds of loading and inference of each group, of all its cases together."""

    def apply(self, entry: Entry) -> None:
        """Add one entry."""
        match entry:
            case Examined():
                self.examined[entry.case] = entry
            case Grouped(groups=groups):
                self.groups = groups
            case ProcessStarted(case=case, process=process):
                self.processes.setdefault(case, []).append(process)
                loading_ns = process.import_ns + process.load_ns + process.first_inference_ns
                self.time_used_ns[process.group] += loading_ns + sum(process.warm_up_ns)
            case BlockMeasured(case=case, block=block):
                self._add_block(case, block)
            case Ended(case=case, outcome=outcome):
                self.ended[case] = outcome
            case SamplingEnded(case=case, end=end):
                self.sampling_ended[case] = end
            case RepetitionObserved(state=state):
                self.repetition_states.append(state)
            case EnergyMeasured(case=case, energy=energy):
                self.energy[case] = energy
            case SustainedStarted(case=case, before=before):
                self.sustaining.setdefault(case, SustainedSoFar(before)).resume(before)
            case SustainedBlockMeasured(case=case, block=measured):
                self.sustaining[case].blocks.add(measured)
            case SustainedEnded(case=case, after=after):
                self.sustained[case] = self.sustaining[case].end(after)
            case SustainedMeasured(case=case, run=run):
                self.sustained[case] = run

    def _add_block(self, case: str, block: Block) -> None:
        *earlier, latest = self.processes[case]
        extended = latest.model_copy(update={"blocks": (*latest.blocks, block)})
        self.processes[case] = [*earlier, extended]
        self.time_used_ns[latest.group] += sum(block.ns)
        self.blocks_measured = max(self.blocks_measured, block.position + 1)

    def measured(self, case: str, repetitions: int | None = None) -> list[ProcessTiming]:
        """Return the processes of a case that have a block; only of the first `repetitions` if given."""
        return [
            process
            for process in self.processes.get(case, [])
            if process.blocks and (repetitions is None or process.repetition < repetitions)
        ]

    def passes_done(self, case: str, group: int, repetition: int) -> int:
        """Return how many passes of a repetition have a block of the case."""
        key = (group, repetition)
        return sum(
            len(process.blocks)
            for process in self.processes.get(case, [])
            if (process.group, process.repetition) == key
        )

    def time_used_s(self, group: int) -> float:
        """Return the seconds of loading and inference of a group, of all its cases together."""
        return self.time_used_ns[group] / 1e9
