"""A measurement on a board, in a process of its own: `python -m bench.remote.job_process FOLDER`.

It reads the request in that folder, writes its progress to a file there, and leaves a report. The laptop that
started it may be gone meanwhile.
"""

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench.bundle.manifest import Bundle, read_bundle
from bench.bundle.model_files import ModelFile
from bench.bundle.model_set import ModelFileRecord
from bench.errors import BenchError, BoardError
from bench.filesystem.disk_errors import sentence_on
from bench.filesystem.whole_files import write_whole
from bench.harness.plan import PlannedModel
from bench.remote.job_folder import (
    EVENTS,
    FILES,
    OUTCOME,
    REPORT,
    REQUEST,
    Advance,
    Begin,
    BundleFiles,
    JobOutcome,
    JobRequest,
    JobSubject,
    OneSubject,
    ReadModel,
    ReadModels,
    ReportTexts,
    Say,
    SeveralNetworks,
)
from bench.report.files import to_json
from bench.report.schema import Report
from bench.run.benchmark import benchmark, benchmark_together
from bench.run.model_set import ModelSet, OpenedModels
from bench.run.parts import MeasuredSubject, Networks
from bench.system.ending_signals import end_on_signals

_CRASHED = 1


class EventFile:
    """Progress as lines of JSON in a file, which the agent may be reading."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""
        self._write(Begin(task=task, total=total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""
        self._write(Advance(steps=steps, note=note))

    def say(self, sentence: str) -> None:
        """Say something that stays on the screen."""
        self._write(Say(sentence=sentence))

    def say_always(self, sentence: str) -> None:
        """Say it; whoever follows the job may show it."""
        self.say(sentence)

    def _write(self, event: Begin | Advance | Say) -> None:
        self._file.write(event.model_dump_json() + "\n")
        self._file.flush()


def measure(folder: Path) -> JobOutcome:
    """Do what the request in the folder asks for; the report lies there if that succeeded."""
    request = JobRequest.model_validate_json((folder / REQUEST).read_bytes())
    try:
        with (
            closing(EventFile(folder / EVENTS)) as events,
            opened(folder / FILES, request.subject) as subject,
        ):
            _benchmark(folder, subject, request, events)
    except BenchError as error:
        return JobOutcome(exit_code=error.exit_code, message=str(error))
    except OSError as error:
        error.filename = error.filename or str(folder)
        return JobOutcome(exit_code=BoardError.exit_code, message=sentence_on(error))
    except Exception:  # noqa: BLE001 - the edge of the process: the laptop has to receive the reason
        return JobOutcome(exit_code=_CRASHED, message=traceback.format_exc())
    return JobOutcome(exit_code=0, message=None)


def _benchmark(
    folder: Path, subject: Bundle | ModelSet | Networks, request: JobRequest, events: EventFile
) -> None:
    """Measure, and leave the report: of several networks all reports in one file."""
    if isinstance(subject, Networks):

        def deliver_all(reports: Sequence[Report]) -> None:
            _deliver(folder, ReportTexts(reports=tuple(map(to_json, reports))).model_dump_json())

        benchmark_together(subject.measured, request.profile, request.benchmark, events, deliver_all)
        return

    def deliver(report: Report) -> None:
        _deliver(folder, to_json(report))

    benchmark(subject, request.profile, request.benchmark, events, deliver)


def _deliver(folder: Path, text: str) -> None:
    """Write report and outcome before the journal is deleted: a loss of power leaves one or the other."""
    write_whole(folder / REPORT, f"{text}\n")
    _write_outcome(folder, JobOutcome(exit_code=0, message=None))


def _write_outcome(folder: Path, outcome: JobOutcome) -> None:
    write_whole(folder / OUTCOME, outcome.model_dump_json())


@contextmanager
def opened(folder: Path, subject: JobSubject) -> Iterator[Bundle | ModelSet | Networks]:
    """Open what a job measures; `folder`: its folder of files."""
    if not isinstance(subject, SeveralNetworks):
        with _opened_one(folder, subject) as one:
            yield one
        return
    with ExitStack() as stack:
        yield Networks(
            tuple(
                MeasuredSubject(
                    stack.enter_context(_opened_one(folder / each.folder, each.subject)), each.network
                )
                for each in subject.networks
            )
        )


@contextmanager
def _opened_one(folder: Path, subject: OneSubject) -> Iterator[Bundle | ModelSet]:
    if isinstance(subject, BundleFiles):
        yield read_bundle(folder, subject.variants)
    elif isinstance(subject, ReadModels):
        records = subject.record.models
        models = [
            _planned(folder, model, record) for model, record in zip(subject.models, records, strict=True)
        ]
        yield OpenedModels(models, subject.record, subject.warnings)
    else:
        paths = [folder / entry for entry in subject.entries]
        with ModelSet(paths, subject.shapes, judged_output=subject.judged_output) as read:
            yield read


def _planned(folder: Path, model: ReadModel, record: ModelFileRecord) -> PlannedModel:
    files = tuple(folder / path for path in model.files)
    file = ModelFile(files[0], record.format, files, record.size_bytes, record.sha256)
    return PlannedModel(file=file, record=record, pack=folder / model.pack)


def main() -> None:
    """Measure; a signal ends it so that its journal stays, and the next start resumes it."""
    end_on_signals()
    folder = Path(sys.argv[1])
    _write_outcome(folder, measure(folder))


if __name__ == "__main__":
    main()
