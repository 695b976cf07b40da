"""What a run has found so far, entry by entry: the journal's contents, and what they add up to.

Each entry is written when it is found and can be applied again, so that a run that was cut off goes on.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.measurements import (
    Block,
    End,
    Energy,
    Executed,
    Failed,
    Memory,
    NoEnergy,
    ProcessTiming,
    RepetitionState,
    Skipped,
    SustainedRun,
)
from bench.record import Record


class Examined(Record):
    """What the pass on its own found of a case: runtime version, memory, logits and executed graph."""

    kind: Literal["examined"] = "examined"
    case: str
    runtime: str
    memory: Memory
    logits: tuple[tuple[float, ...], ...] | None
    executed: Executed | None
    predictions_cached_at: str | None


class Grouped(Record):
    """Which cases are alive together, wave by wave."""

    kind: Literal["grouped"] = "grouped"
    groups: tuple[tuple[str, ...], ...]


class Started(Record):
    """A process of a case is warm; its blocks follow as turns."""

    kind: Literal["started"] = "started"
    case: str
    process: ProcessTiming


class BlockMeasured(Record):
    """A block of the process that a case started last."""

    kind: Literal["block"] = "block"
    case: str
    block: Block


class Ended(Record):
    """A case that is over early, and its outcome."""

    kind: Literal["ended"] = "ended"
    case: str
    outcome: Annotated[Failed | Skipped, Field(discriminator="status")]


class Stopped(Record):
    """The sampling of a case is over."""

    kind: Literal["stopped"] = "stopped"
    case: str
    end: End = Field(strict=False)


class Watched(Record):
    """How the machine stood around a round."""

    kind: Literal["watched"] = "watched"
    state: RepetitionState


class EnergyFound(Record):
    """What a case's energy pass found."""

    kind: Literal["energy"] = "energy"
    case: str
    energy: Energy | NoEnergy


class SustainedFound(Record):
    """What a case's sustained pass found."""

    kind: Literal["sustained"] = "sustained"
    case: str
    run: SustainedRun


Entry = (
    Examined | Grouped | Started | BlockMeasured | Ended | Stopped | Watched | EnergyFound | SustainedFound
)
ENTRIES: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


@dataclass
class Process:
    """A process that was started, and the blocks of it so far."""

    started: ProcessTiming
    blocks: list[Block] = field(default_factory=list)

    def timing(self) -> ProcessTiming:
        """Return the process as it stands in a report."""
        return self.started.model_copy(update={"blocks": tuple(self.blocks)})


@dataclass
class Findings:
    """Everything found so far, by case (see Case.key).

    `spent_ns`: nanoseconds of loading and inference by wave, of all its cases together.
    """

    examined: dict[str, Examined] = field(default_factory=dict)
    groups: tuple[tuple[str, ...], ...] | None = None
    processes: dict[str, list[Process]] = field(default_factory=dict)
    ended: dict[str, Failed | Skipped] = field(default_factory=dict)
    stopped: dict[str, End] = field(default_factory=dict)
    states: list[RepetitionState] = field(default_factory=list)
    energy: dict[str, Energy | NoEnergy] = field(default_factory=dict)
    sustained: dict[str, SustainedRun] = field(default_factory=dict)
    blocks_run: int = 0
    spent_ns: Counter[int] = field(default_factory=Counter)

    def apply(self, entry: Entry) -> None:
        """Add one entry."""
        match entry:
            case Examined():
                self.examined[entry.case] = entry
            case Grouped(groups=groups):
                self.groups = groups
            case Started(case=case, process=process):
                self.processes.setdefault(case, []).append(Process(process))
                loading_ns = process.import_ns + process.load_ns + process.first_inference_ns
                self.spent_ns[process.group] += loading_ns + sum(process.warm_up_ns)
            case BlockMeasured(case=case, block=block):
                latest = self.processes[case][-1]
                latest.blocks.append(block)
                self.spent_ns[latest.started.group] += sum(block.ns)
                self.blocks_run = max(self.blocks_run, block.position + 1)
            case Ended(case=case, outcome=outcome):
                self.ended[case] = outcome
            case Stopped(case=case, end=end):
                self.stopped[case] = end
            case Watched(state=state):
                self.states.append(state)
            case EnergyFound(case=case, energy=energy):
                self.energy[case] = energy
            case SustainedFound(case=case, run=run):
                self.sustained[case] = run

    def measured(self, case: str, repetitions: int | None = None) -> list[ProcessTiming]:
        """Return a case's processes that have at least one block, those of the first rounds if so many."""
        return [
            process.timing()
            for process in self.processes.get(case, [])
            if process.blocks and (repetitions is None or process.started.repetition < repetitions)
        ]

    def passes_done(self, case: str, group: int, repetition: int) -> int:
        """Return how many blocks of a round a case has."""
        place = (group, repetition)
        return sum(
            len(process.blocks)
            for process in self.processes.get(case, [])
            if (process.started.group, process.started.repetition) == place
        )

    def spent_s(self, group: int) -> float:
        """Return the seconds of loading and inference in a wave, of all its cases together."""
        return self.spent_ns[group] / 1e9
