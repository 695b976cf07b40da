"""Turns a source into a bundle. It knows the order of the steps and what an outcome means for the bundle.

The worker knows how an artifact is made and verified.
"""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from bench.bundle.evaluation_pack import FILE_NAME
from bench.bundle.manifest import (
    ArtifactRecord,
    FailedExport,
    Manifest,
    NotMade,
    PackRecord,
    describe,
    write_manifest,
)
from bench.bundle.variants import Variant
from bench.errors import BenchError
from bench.filesystem.disk_errors import raise_if_full, raise_if_unwritten
from bench.filesystem.unfinished import remove_folder
from bench.runtimes.formats import FORMATS, FormatRow
from bench.system.thread_variables import sentence_on_cleared, set_variables
from export.makeable import is_calibrated, refuse_idle, split_by_source
from export.messages import Made, Refused, Report, SearchTask, Task
from export.options import ExportOptions
from export.planning import exporter_of, plan
from export.preparation import plan_search, write_calibration_pack, write_reference_pack
from export.prepared import Prepared
from export.preparing import prepare
from export.source_runner import SourceRunner
from export.sources.recognising import recognise
from export.stages import StageBar
from export.unchanged_source import SourceFiles
from export.verification import warnings_of
from export.worker_process import ExportWorker
from models.progress import Progress
from user_files.reading import naming

__all__ = ["ExportOptions", "export"]

# What Python's module tempfile says in a worker, whose temporary folder is on a full disk.
_NO_TEMPORARY_FOLDER = "No usable temporary directory"

_EXPORTING = "Exporting"

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
    any long work, and InputError after it if the source was changed meanwhile. A variant that cannot be made,
    or is wrong, becomes a FailedExport and leaves no file. `tool` and `created` (ISO 8601) are recorded as
    they are; without a `name` the bundle gets the source's.
    """
    planned = plan(options, table)
    if cleared := sentence_on_cleared(set_variables(os.environ), has_option=False):
        progress.say(cleared)
    folder = folder.resolve()
    files = SourceFiles.of(recognise(options.source, options.weights))
    with (
        _scratch(folder) as scratch,
        SourceRunner(options.threads_used, options.timeout_s, folder) as runner,
    ):
        prepared = prepare(options, runner, progress)
        makeable, not_made = split_by_source(planned, prepared, table)
        refuse_idle(options, makeable, not_made, prepared, table)
        job = _begin(options, prepared, makeable, folder, scratch, table, runner, progress)
        progress.begin(_EXPORTING, len(makeable))
        outcomes = list(_make_all(job, makeable, runner, progress))
    files.refuse_changed()
    manifest = _manifest(job, outcomes, not_made, tool, name, created)
    write_manifest(folder, manifest)
    return manifest


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder for what the bundle does not keep. Raises OSError if it stays, as no hash lists it."""
    scratch = Path(mkdtemp(prefix=".search-", dir=folder))
    try:
        yield scratch
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)  # the error of the block is the one to tell
        raise
    remove_folder(scratch)


def _begin(
    options: ExportOptions,
    prepared: Prepared,
    variants: Sequence[Variant],
    folder: Path,
    scratch: Path,
    table: Mapping[str, FormatRow],
    runner: SourceRunner,
    progress: Progress,
) -> _Job:
    """Write the packs, and measure what the search for int8 recipes needs."""
    source, data = prepared.source, prepared.data
    calibration = write_calibration_pack(scratch, data.calibration)
    is_quantised = any(is_calibrated(variant, prepared, table) for variant in variants)
    search = None
    if options.min_retention > 0 and is_quantised:
        search = plan_search(options, source, data, calibration, scratch, runner, progress)
    write_reference_pack(folder / FILE_NAME, data.evaluation, "evaluation", source, runner, progress)
    return _Job(options, prepared, folder, calibration, table, search)


def _manifest(
    job: _Job,
    outcomes: Sequence[Outcome],
    not_made: Sequence[NotMade],
    tool: str,
    name: str | None,
    created: str,
) -> Manifest:
    """Return the manifest of what was made; raises NothingExportedError if nothing was."""
    prepared, data, pack = job.prepared, job.prepared.data, job.folder / FILE_NAME
    artifacts = tuple(outcome for outcome in outcomes if isinstance(outcome, ArtifactRecord))
    if not artifacts:
        raise NothingExportedError(outcomes)
    return Manifest(
        schema=2,
        tool=tool,
        name=name or prepared.name,
        created=created,
        model=prepared.model,
        preprocessing=prepared.preprocessing,
        pack=PackRecord(
            file=describe(job.folder, pack),
            images=len(data.evaluation),
            positive_class=data.positive_class,
            labelled=data.evaluation.labels is not None,
            sources_sha256=data.evaluation.sources_sha256,
        ),
        artifacts=artifacts,
        failed=tuple(outcome for outcome in outcomes if isinstance(outcome, FailedExport)),
        not_made=tuple(not_made),
        notes=data.notes,
    )


def _make_all(
    job: _Job, variants: Sequence[Variant], runner: SourceRunner, progress: Progress
) -> Iterator[Outcome]:
    """Make every variant. One process makes those of a format, so that it makes what they share only once.

    The runner's process, which has loaded the source, makes the first format. A crash costs one variant: a
    fresh process makes the rest.
    """
    done, total = 0, len(variants)
    for _, group in groupby(variants, key=lambda variant: variant.format):
        remaining = list(group)
        while remaining:
            with runner.hand_over() as worker:
                while remaining and worker.is_alive:
                    variant, done = remaining.pop(0), done + 1
                    bar = StageBar(progress, f"{variant} ({done} of {total})")
                    outcome = _make(job, variant, worker, bar)
                    progress.begin(_EXPORTING, total)
                    _show(outcome, done, progress)
                    yield outcome


def _make(job: _Job, variant: Variant, worker: ExportWorker, report: Report) -> Outcome:
    task = job.task(variant)
    if isinstance(task, Refused):
        _raise_if_of_disk(job.folder, task.message)
        return _failed(variant, task)
    match worker.ask(task, job.options.timeout_s, report):
        case Made(artifact=artifact):
            return artifact.model_copy(update={"warnings": (*artifact.warnings, *warnings_of(artifact))})
        case Refused() as refused:
            _raise_if_of_disk(job.folder, refused.message)  # as long as what it wrote is still there
            remove_folder(job.folder / str(variant))  # no hash would list what were left there
            return _failed(variant, refused)
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


def _failed(variant: Variant, refused: Refused) -> FailedExport:
    return FailedExport(variant=str(variant), stage=refused.stage, message=refused.message)


def _show(outcome: Outcome, done: int, progress: Progress) -> None:
    if isinstance(outcome, FailedExport):
        progress.say(f"{outcome.variant} failed in stage {outcome.stage}: {outcome.message.splitlines()[0]}")
        progress.advance(done, note=f"{outcome.variant} failed")
        return
    for warning in outcome.warnings:
        progress.say(f"{outcome.variant}: {warning}")
    progress.advance(done, note=f"{outcome.variant} {outcome.seconds:.1f} s")
