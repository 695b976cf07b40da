"""Makes the variants of an export: a process for each format, and several of them at once.

It knows what an answer means for the bundle, and neither exporters nor runtimes.
"""

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from tempfile import gettempdir

from bench.bundle.evaluation_pack import FILE_NAME
from bench.bundle.manifest import ArtifactRecord, FailedExport
from bench.bundle.variants import Variant
from bench.filesystem.disk_errors import raise_if_full, raise_if_unwritten
from bench.filesystem.unfinished import remove_folder
from bench.runtimes.formats import FormatRow
from bench.system.free_memory import free_bytes
from export.makeable import is_calibrated
from export.messages import Answer, Made, ProgressMessage, Refused, SearchTask, Task
from export.options import ExportOptions
from export.planning import exporter_of
from export.prepared import Prepared
from export.source_runner import SourceRunner
from export.stages import LinesOfWork
from export.verification import warnings_of
from export.worker_process import ExportWorker
from models.progress import Progress
from user_files.reading import naming

EXPORTING = "Exporting"
Outcome = ArtifactRecord | FailedExport

# What Python's module tempfile says in a worker, whose temporary folder is on a full disk.
_NO_TEMPORARY_FOLDER = "No usable temporary directory"
# A process that makes int8 had up to 1.4 times the memory of the one that ran and analysed the source
# (DenseNet-121 at 224x224, TorchScript); libraries of other formats take some as well.
_MEMORY_OF_NEXT = 2


@dataclass(frozen=True)
class ExportJob:
    """What all variants of one export share."""

    options: ExportOptions
    prepared: Prepared
    """The source and its data."""
    folder: Path
    """The bundle folder."""
    calibration: Path
    """The pack of calibration samples."""
    table: Mapping[str, FormatRow]
    """The format table."""
    search: SearchTask | Refused | None
    """The search for int8 recipes; Refused if int8 cannot be simulated, None if there is no search."""

    def task(self, variant: Variant) -> Task | Refused:
        """Return a worker's task for a variant, or why int8 cannot be simulated."""
        row = self.table[variant.format]
        calibrated = is_calibrated(variant, self.prepared, self.table)
        search = self.search if calibrated else None
        if isinstance(search, Refused):
            return search
        return Task(
            variant=str(variant),
            format=variant.format,
            precision=variant.precision,
            exporter=exporter_of(variant.format, row),
            runtime=row.module,
            provider=row.provider,
            source=self.prepared.source,
            is_own=variant == self.prepared.own,
            bundle=str(self.folder),
            pack=str(self.folder / FILE_NAME),
            samples=str(self.calibration),
            calibration=str(self.calibration) if calibrated else None,
            calibration_images=self.options.calibration_images if calibrated else 0,
            threads=self.options.threads_used,
            cpu=self.options.cpu,
            search=search,
        )


@dataclass
class _Line:
    """The variants of one format, which one process makes one after the other, so that it makes what they
    share only once. A crash costs one variant: a fresh process makes the rest."""

    remaining: list[Variant]
    worker: ExportWorker
    variant: Variant = field(init=False)
    """The one that is made."""

    def next_task(self, job: ExportJob) -> Task | Refused | None:
        """Return the task of the next variant; None after the last one."""
        if not self.remaining:
            return None
        self.variant = self.remaining.pop(0)
        return job.task(self.variant)


def make_all(
    job: ExportJob, variants: Sequence[Variant], runner: SourceRunner, progress: Progress
) -> list[Outcome]:
    """Make every variant, and return the outcomes in the order of the variants.

    The runner's process, which has loaded the source, makes the first format.
    """
    with ExitStack() as stack:
        lines = _Lines(job, variants, runner, progress, stack)
        made = dict(lines.outcomes())
    return [made[variant] for variant in variants]


def lines_at_once(formats: int, threads: int, each_bytes: int, free: int) -> int:
    """Return how many processes make formats at once, so that they fit in memory: at least one.

    They are one more than there are threads, since processes wait for each other and for files, and the last
    one would be left alone. A user who wants one thread gets one process.
    """
    most = threads + 1 if threads > 1 else 1
    return max(1, min(formats, most, free // max(1, each_bytes)))


class _Lines:
    """The processes that make formats, and what they have made."""

    def __init__(
        self,
        job: ExportJob,
        variants: Sequence[Variant],
        runner: SourceRunner,
        progress: Progress,
        stack: ExitStack,
    ) -> None:
        """`stack` ends whatever process is left."""
        self._job, self._runner, self._progress, self._stack = job, runner, progress, stack
        groups = groupby(variants, key=lambda variant: variant.format)
        self._waiting = [list(group) for _, group in groups]
        self._running: list[_Line] = []
        self._shown = LinesOfWork(progress, EXPORTING, len(variants))

    def outcomes(self) -> Iterator[tuple[Variant, Outcome]]:
        """Yield each variant with its outcome, whichever is made first."""
        first = self._worker()
        at_once = lines_at_once(
            len(self._waiting),
            self._job.options.threads_used,
            _MEMORY_OF_NEXT * (first.highest_bytes or 0),
            free_bytes(),
        )
        workers = [first]
        while self._waiting or self._running:
            while self._waiting and len(self._running) < at_once:
                worker = workers.pop() if workers else self._worker()
                line = _Line(self._waiting.pop(0), worker)
                self._running.append(line)
                yield from self._begin_next(line)
            if self._running:
                yield from self._read()

    def _worker(self) -> ExportWorker:
        return self._stack.enter_context(self._runner.hand_over())

    def _read(self) -> Iterator[tuple[Variant, Outcome]]:
        """Wait for messages, and yield what is finished by them."""
        ready = ExportWorker.wait_for_one([line.worker for line in self._running])
        for line in [line for line in self._running if line.worker in ready]:
            message = line.worker.next_message()
            if isinstance(message, ProgressMessage):
                self._shown.note(str(line.variant), message)
                continue
            yield line.variant, self._finished(line.variant, message)
            yield from self._begin_next(line)

    def _begin_next(self, line: _Line) -> Iterator[tuple[Variant, Outcome]]:
        """Begin the next variant of a line; yield those that cannot be made. After the last, end the line."""
        while isinstance(task := line.next_task(self._job), Refused):
            yield line.variant, self._finished(line.variant, task)
        if task is None:
            self._running.remove(line)
            line.worker.stop()
            return
        if not line.worker.is_alive:
            line.worker.stop()
            line.worker = self._worker()
        line.worker.begin(task, self._job.options.timeout_s)

    def _finished(self, variant: Variant, answer: Answer) -> Outcome:
        outcome = _outcome(self._job.folder, variant, answer)
        if isinstance(outcome, FailedExport):
            message = outcome.message.splitlines()[0]
            self._progress.say(f"{variant} failed in stage {outcome.stage}: {message}")
            self._shown.finish(str(variant), f"{variant} failed")
            return outcome
        for warning in outcome.warnings:
            self._progress.say(f"{variant}: {warning}")
        self._shown.finish(str(variant), f"{variant} {outcome.seconds:.1f} s")
        return outcome


def _outcome(folder: Path, variant: Variant, answer: Answer) -> Outcome:
    match answer:
        case Made(artifact=artifact):
            return artifact.model_copy(update={"warnings": (*artifact.warnings, *warnings_of(artifact))})
        case Refused() as refused:
            _raise_if_of_disk(folder, refused.message)  # as long as what it wrote is still there
            remove_folder(folder / str(variant))  # no hash would list what were left there
            return FailedExport(variant=str(variant), stage=refused.stage, message=refused.message)
        case _:
            raise AssertionError("the worker answered another request than the task")


def _raise_if_of_disk(folder: Path, message: str) -> None:
    """Raise OSError where a variant failed because of a disk, on which the next one would fail as well."""
    temporary = Path(gettempdir())
    with naming(temporary):
        raise_if_full(temporary)
        if _NO_TEMPORARY_FOLDER in message:
            raise OSError(errno.ENOSPC, _NO_TEMPORARY_FOLDER)
    raise_if_unwritten(folder, message)
