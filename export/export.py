"""Turns a run folder into a bundle. It knows the order of the steps and what an outcome means for the bundle.

The worker knows how an artifact is made and verified.
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
    describe,
    write_manifest,
)
from bench.bundle.preprocessing import PreprocessingRecord
from bench.bundle.variants import Variant
from bench.errors import BenchError
from bench.runtimes.formats import FORMATS, FormatRow
from export.images import POSITIVE_CLASS, evaluation_images
from export.messages import Entered, Made, ProgressMessage, Refused, SearchTask, Task
from export.options import ExportOptions, exporter_of, plan
from export.preparation import plan_search, write_reference_pack
from export.verification import warnings_of
from export.worker_process import ExportWorker
from models.progress import Progress
from models.records import RunRecord
from models.run_folder import read_run

__all__ = ["ExportOptions", "export"]


Outcome = ArtifactRecord | FailedExport


class NothingExportedError(BenchError):
    """Every variant failed, so there is no bundle. The message gives the reason of each failure."""

    exit_code = 4

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        reasons = [
            f"{outcome.variant} failed in stage {outcome.stage}: {outcome.message.splitlines()[0]}"
            for outcome in outcomes
            if isinstance(outcome, FailedExport)
        ]
        super().__init__(
            "\n".join(["no variant could be exported, so there is no bundle; the reasons are:", *reasons])
        )


@dataclass(frozen=True)
class _Job:
    """What all variants of one export share."""

    options: ExportOptions
    folder: Path
    """The bundle folder."""
    table: Mapping[str, FormatRow]
    """The format table."""
    search: SearchTask | Refused | None
    """The search for int8 recipes; Refused if int8 cannot be simulated, None if there is no search."""

    def task(self, variant: Variant) -> Task | Refused:
        """Return a worker's task for a variant, or why int8 cannot be simulated."""
        row, calibrated = self.table[variant.format], _is_calibrated(variant, self.table)
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

    Raises InputError (from bench for options, from models for the run folder) and MissingRuntimeError before
    any long work. A variant that cannot be made, or is wrong, becomes a FailedExport and leaves no file.
    `tool` and `created` (ISO 8601) are recorded as they are; without a `name` the bundle gets the run's.
    """
    variants = plan(options, table)
    run = read_run(options.run)
    folder = folder.resolve()
    pack, images = folder / FILE_NAME, evaluation_images(run, options.eval_images)
    is_searched = options.min_retention > 0 and any(_is_calibrated(variant, table) for variant in variants)
    with TemporaryDirectory(prefix=".search-", dir=folder) as scratch:
        search = plan_search(options, run, Path(scratch), progress) if is_searched else None
        write_reference_pack(pack, images, "test", options, progress)
        progress.begin("Exporting", len(variants))
        job = _Job(options, folder, table, search)
        outcomes = list(_make_all(job, variants, progress))
    artifacts = tuple(outcome for outcome in outcomes if isinstance(outcome, ArtifactRecord))
    if not artifacts:
        raise NothingExportedError(outcomes)
    manifest = Manifest(
        schema=2,
        tool=tool,
        name=name or run.record.name,
        created=created,
        model=_describe_model(run.record),
        preprocessing=_describe_preprocessing(run.record),
        pack=PackRecord(file=describe(folder, pack), images=len(images), positive_class=POSITIVE_CLASS),
        artifacts=artifacts,
        failed=tuple(outcome for outcome in outcomes if isinstance(outcome, FailedExport)),
        notes=run.record.data.notes,
    )
    write_manifest(folder, manifest)
    return manifest


def _make_all(job: _Job, variants: Sequence[Variant], progress: Progress) -> Iterator[Outcome]:
    """Make every variant. One process makes those of a format, so that it makes what they share only once.

    A crash costs one variant: a fresh process makes the rest.
    """
    for _, group in groupby(variants, key=lambda variant: variant.format):
        remaining = list(group)
        while remaining:
            with ExportWorker(job.folder) as worker:
                while remaining and worker.is_alive:
                    outcome = _make(job, remaining.pop(0), worker, progress)
                    _show(outcome, progress)
                    yield outcome


def _make(job: _Job, variant: Variant, worker: ExportWorker, progress: Progress) -> Outcome:
    def show(message: ProgressMessage) -> None:
        progress.advance(0, note=f"{variant}, {_note(message)}")

    task = job.task(variant)
    if isinstance(task, Refused):
        return _failed(variant, task)
    match worker.ask(task, job.options.timeout_s, show):
        case Made(artifact=artifact):
            return artifact.model_copy(update={"warnings": warnings_of(artifact)})
        case Refused() as refused:
            shutil.rmtree(job.folder / str(variant), ignore_errors=True)
            return _failed(variant, refused)
        case _:
            raise AssertionError("the worker answered another request than the task")


def _is_calibrated(variant: Variant, table: Mapping[str, FormatRow]) -> bool:
    return variant.precision in table[variant.format].calibrated


def _failed(variant: Variant, refused: Refused) -> FailedExport:
    return FailedExport(variant=str(variant), stage=refused.stage, message=refused.message)


def _note(message: ProgressMessage) -> str:
    return message.stage if isinstance(message, Entered) else f"step {message.done} of {message.total}"


def _show(outcome: Outcome, progress: Progress) -> None:
    if isinstance(outcome, FailedExport):
        progress.say(f"{outcome.variant} failed in stage {outcome.stage}: {outcome.message.splitlines()[0]}")
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
        sixteen_bit_divide_by=steps.sixteen_bit_divide_by,
        transparency=steps.transparency,
        resize=steps.resize,
        size=(record.image_size, record.image_size),
        interpolation=steps.interpolation,
        antialias=steps.antialias,
        channels=steps.channels,
        divide_by=steps.divide_by,
        # The network normalises by itself.
        mean=(0.0,) * steps.channels,
        std=(1.0,) * steps.channels,
    )
