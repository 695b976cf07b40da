"""Turns a source into a bundle. It knows the order of the steps and what an outcome means for the bundle.

The worker knows how an artifact is made and verified.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

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
from bench.filesystem.unfinished import remove_folder
from bench.runtimes.formats import FORMATS, FormatRow
from bench.system.thread_variables import sentence_on_cleared, set_variables
from export.makeable import is_calibrated, refuse_idle, split_by_source
from export.making import ExportJob, Outcome, make_all
from export.options import ExportOptions
from export.planning import plan
from export.preparation import plan_search, write_calibration_pack, write_reference_pack
from export.prepared import Prepared
from export.preparing import prepare
from export.source_runner import SourceRunner
from export.sources.recognising import recognise
from export.unchanged_source import SourceFiles
from models.progress import Progress

__all__ = ["ExportOptions", "export"]


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
        outcomes = make_all(job, makeable, runner, progress)
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
) -> ExportJob:
    """Write the packs, and measure what the search for int8 recipes needs."""
    source, data = prepared.source, prepared.data
    calibration = write_calibration_pack(scratch, data.calibration)
    is_quantised = any(is_calibrated(variant, prepared, table) for variant in variants)
    search = None
    if options.min_retention > 0 and is_quantised:
        search = plan_search(options, source, data, calibration, scratch, runner, progress)
    write_reference_pack(folder / FILE_NAME, data.evaluation, "evaluation", source, runner, progress)
    return ExportJob(options, prepared, folder, calibration, table, search)


def _manifest(
    job: ExportJob,
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
