"""A run folder in, a bundle out. It knows the order of the steps and what an outcome means for the bundle;
how an artifact is made and verified is the worker's.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from bench.bundle import (
    ArtifactRecord,
    FailedExport,
    Manifest,
    ModelRecord,
    PackRecord,
    PreprocessingRecord,
    describe,
    write_manifest,
)
from bench.errors import BenchError
from bench.evaluation_pack import FILE_NAME, EvaluationPack, write_pack
from bench.variants import Variant
from export.evaluation import POSITIVE_CLASS, Chosen, choose_evaluation_images
from export.formats import FORMATS, FormatRow
from export.messages import AskReference, Made, Reference, Refused, Task
from export.options import ExportOptions, available_threads, plan
from export.verification import warn_of_lost_accuracy
from export.worker_process import WorkerProcess
from models.progress import Progress
from models.records import RunRecord
from models.run_folder import read_run

__all__ = ["ExportOptions", "export"]


class ReferenceFailedError(RuntimeError):
    """The network that every artifact is compared with could not be run: edgefit's or torch's fault."""


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

    @property
    def pack(self) -> Path:
        return self.folder / FILE_NAME

    @property
    def threads(self) -> int:
        return self.options.threads or available_threads()

    def task(self, variant: Variant) -> Task:
        row = self.table[variant.format]
        return Task(
            variant=str(variant),
            format=variant.format,
            precision=variant.precision,
            exporter=row.exporter,
            runtime=row.runtime,
            run=str(self.options.run.resolve()),
            bundle=str(self.folder),
            pack=str(self.pack),
            calibration_images=self.options.calibration_images,
            uses_calibration=variant.precision in row.calibrated,
            threads=self.threads,
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
    job = _Job(options, folder.resolve(), table)
    chosen = choose_evaluation_images(run, options.eval_images)
    progress.begin("Asking the fp32 network", 1)
    _write_pack(job, chosen)
    progress.advance()
    progress.begin("Exporting", len(variants))
    outcomes = list(_make_all(job, variants, progress))
    if not any(isinstance(one, ArtifactRecord) for one in outcomes):
        raise NothingExportedError(outcomes)
    manifest = Manifest(
        schema=1,
        tool=tool,
        name=name or run.record.name,
        created=created,
        model=_describe_model(run.record),
        preprocessing=_describe_preprocessing(run.record),
        pack=PackRecord(
            file=describe(job.folder, job.pack), images=len(chosen.labels), positive_class=POSITIVE_CLASS
        ),
        artifacts=tuple(one for one in outcomes if isinstance(one, ArtifactRecord)),
        failed=tuple(one for one in outcomes if isinstance(one, FailedExport)),
        notes=run.record.data.notes,
    )
    write_manifest(folder, manifest)
    return manifest


def _write_pack(job: _Job, chosen: Chosen) -> None:
    """Write the pack, first without the fp32 network's logits, for the worker to read its images."""
    unanswered = np.zeros((len(chosen.labels), 1), dtype=np.float32)
    write_pack(job.pack, EvaluationPack(chosen.images, chosen.labels, unanswered))
    question = AskReference(run=str(job.options.run.resolve()), pack=str(job.pack), threads=job.threads)
    with WorkerProcess() as worker:
        answer = worker.ask(question, job.options.timeout_s)
    if not isinstance(answer, Reference):
        raise ReferenceFailedError(f"the fp32 network of {job.options.run} could not be run: {answer}")
    logits = np.array(answer.logits, dtype=np.float32)
    write_pack(job.pack, EvaluationPack(chosen.images, chosen.labels, logits))


def _make_all(job: _Job, variants: Sequence[Variant], progress: Progress) -> Iterator[Outcome]:
    """Make every variant, a format's in one process: what they share is made once, and a crash costs one."""
    for _, group in groupby(variants, key=lambda variant: variant.format):
        waiting = list(group)
        while waiting:
            with WorkerProcess() as worker:
                while waiting and worker.is_alive:
                    outcome = _make(job, waiting.pop(0), worker)
                    _tell(outcome, progress)
                    yield outcome


def _make(job: _Job, variant: Variant, worker: WorkerProcess) -> Outcome:
    match worker.ask(job.task(variant), job.options.timeout_s):
        case Made(artifact=artifact):
            return _with_warnings(artifact, job, variant)
        case Refused(stage=stage, message=message):
            shutil.rmtree(job.folder / str(variant), ignore_errors=True)
            return FailedExport(variant=str(variant), stage=stage, message=message)
        case Reference():
            raise AssertionError("a worker answers a task with what it made")


def _with_warnings(artifact: ArtifactRecord, job: _Job, variant: Variant) -> ArtifactRecord:
    if variant.precision not in job.table[variant.format].calibrated:
        return artifact
    warnings = warn_of_lost_accuracy(artifact.verification, job.options.min_retention)
    return artifact.model_copy(update={"warnings": warnings})


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
