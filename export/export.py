"""A run folder in, a bundle out. It knows the order of the steps and what an outcome means for the bundle;
how an artifact is made and verified is the worker's.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bundle.evaluation_pack import FILE_NAME
from bench.bundle.manifest import (
    ArtifactRecord,
    FailedExport,
    Manifest,
    ModelRecord,
    PackRecord,
    PreprocessingRecord,
    describe,
    write_manifest,
)
from bench.bundle.variants import Variant
from bench.errors import BenchError
from export.evaluation import POSITIVE_CLASS, choose_evaluation_images
from export.formats import FORMATS, FormatRow
from export.messages import Entered, Made, Refused, SearchTask, Task, Told
from export.options import ExportOptions, plan
from export.questions import write_answered_pack
from export.search_plan import plan_search
from export.verification import warnings_of
from export.worker_process import WorkerProcess
from models.progress import Progress
from models.records import RunRecord
from models.run_folder import read_run

__all__ = ["ExportOptions", "export"]


Outcome = ArtifactRecord | FailedExport


class NothingExportedError(BenchError):
    """Every variant failed, so there is no bundle; the message says each one's reason."""

    exit_code = 4

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        reasons = [
            f"{one.variant} failed in stage {one.stage}: {one.message.splitlines()[0]}"
            for one in outcomes
            if isinstance(one, FailedExport)
        ]
        super().__init__("\n".join(["no variant could be exported, so no bundle was made", *reasons]))


@dataclass(frozen=True)
class _Job:
    """Everything the variants of one export have in common."""

    options: ExportOptions
    folder: Path
    table: Mapping[str, FormatRow]
    search: SearchTask | Refused | None

    def task(self, variant: Variant) -> Task | Refused:
        """Return what a worker is to do for a variant; where int8 cannot be simulated, why it cannot."""
        row, calibrated = self.table[variant.format], _is_calibrated(variant, self.table)
        search = self.search if calibrated else None
        if isinstance(search, Refused):
            return search
        return Task(
            variant=str(variant),
            format=variant.format,
            precision=variant.precision,
            exporter=row.exporter,
            runtime=row.runtime,
            run=self.options.run_folder,
            bundle=str(self.folder),
            pack=str(self.folder / FILE_NAME),
            calibration_images=self.options.calibration_images if calibrated else 0,
            threads=self.options.threads_used,
            cpu=self.options.cpu,
            search=search,
        )


def export(
    options: ExportOptions,
    folder: Path,
    progress: Progress,
    tool: str,
    name: str | None,
    created: str,
    table: Mapping[str, FormatRow] = FORMATS,
) -> Manifest:
    """Fill the empty `folder` with a bundle and return its manifest.

    Raises InputError (bench's for options, models' for the run folder) and MissingRuntimeError before any
    long work. A variant that cannot be made, or is wrong, becomes a FailedExport and leaves no file.
    `tool` and `created` (ISO 8601) are recorded as given; `name` None means the run's.
    """
    variants = plan(options, table)
    run = read_run(options.run)
    folder = folder.resolve()
    pack, chosen = folder / FILE_NAME, choose_evaluation_images(run, options.eval_images)
    is_searched = options.min_retention > 0 and any(_is_calibrated(one, table) for one in variants)
    with TemporaryDirectory(prefix=".search-", dir=folder) as scratch:
        search = plan_search(options, run, Path(scratch), progress) if is_searched else None
        write_answered_pack(pack, chosen, "test", options, progress)
        progress.begin("Exporting", len(variants))
        job = _Job(options, folder, table, search)
        outcomes = list(_make_all(job, variants, progress))
    if not any(isinstance(one, ArtifactRecord) for one in outcomes):
        raise NothingExportedError(outcomes)
    manifest = Manifest(
        schema=2,
        tool=tool,
        name=name or run.record.name,
        created=created,
        model=_describe_model(run.record),
        preprocessing=_describe_preprocessing(run.record),
        pack=PackRecord(
            file=describe(folder, pack), images=len(chosen.labels), positive_class=POSITIVE_CLASS
        ),
        artifacts=tuple(one for one in outcomes if isinstance(one, ArtifactRecord)),
        failed=tuple(one for one in outcomes if isinstance(one, FailedExport)),
        notes=run.record.data.notes,
    )
    write_manifest(folder, manifest)
    return manifest


def _make_all(job: _Job, variants: Sequence[Variant], progress: Progress) -> Iterator[Outcome]:
    """Make every variant, a format's in one process: what they share is made once, and a crash costs one."""
    for _, group in groupby(variants, key=lambda variant: variant.format):
        waiting = list(group)
        while waiting:
            with WorkerProcess(job.folder) as worker:
                while waiting and worker.is_alive:
                    outcome = _make(job, waiting.pop(0), worker, progress)
                    _tell(outcome, progress)
                    yield outcome


def _make(job: _Job, variant: Variant, worker: WorkerProcess, progress: Progress) -> Outcome:
    def receive(told: Told) -> None:
        progress.advance(0, note=f"{variant}, {_words(told)}")

    task = job.task(variant)
    if isinstance(task, Refused):
        return _failed(variant, task)
    match worker.ask(task, job.options.timeout_s, receive):
        case Made(artifact=artifact):
            return artifact.model_copy(update={"warnings": warnings_of(artifact)})
        case Refused() as refused:
            shutil.rmtree(job.folder / str(variant), ignore_errors=True)
            return _failed(variant, refused)
        case _:
            raise AssertionError("a worker answers a task with what it made")


def _is_calibrated(variant: Variant, table: Mapping[str, FormatRow]) -> bool:
    return variant.precision in table[variant.format].calibrated


def _failed(variant: Variant, why: Refused) -> FailedExport:
    return FailedExport(variant=str(variant), stage=why.stage, message=why.message)


def _words(told: Told) -> str:
    return told.stage if isinstance(told, Entered) else f"step {told.done} of {told.total}"


def _tell(outcome: Outcome, progress: Progress) -> None:
    if isinstance(outcome, FailedExport):
        progress.say(f"{outcome.variant} failed at {outcome.stage}: {outcome.message.splitlines()[0]}")
        progress.advance(note=f"{outcome.variant} failed")
        return
    for warning in outcome.warnings:
        progress.say(f"{outcome.variant}: {warning}")
    progress.advance(note=f"{outcome.variant} {outcome.seconds:.1f} s")


def _describe_model(record: RunRecord) -> ModelRecord:
    kind, name = record.weights.kind, record.weights.name
    return ModelRecord(
        arch=record.arch,
        classes=record.classes,
        image_size=record.image_size,
        weights=name if kind == name else f"{kind} ({name})",
        data=record.data.name,
    )


def _describe_preprocessing(record: RunRecord) -> PreprocessingRecord:
    steps = record.preprocessing
    return PreprocessingRecord(
        resize=f"{steps.resize}; {steps.interpolation}",
        grey_to_rgb=f"{steps.grey_to_rgb}; transparency {steps.transparency}",
        scale=f"{steps.scale}; of 16-bit images {steps.sixteen_bit}",
    )
