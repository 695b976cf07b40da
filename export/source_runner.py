"""The parent's side of a source: describes it and runs it, in a worker. It knows no kind of source."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import write_pack
from bench.errors import BenchError, InputError
from bench.filesystem.temporary_folder import TemporaryFolder
from export.data.samples import Samples
from export.messages import (
    Answer,
    ComputeReference,
    DescribeSource,
    Reference,
    Refused,
    Report,
    Request,
    SourceDescribed,
    WrongInput,
)
from export.sources.spec import OpenSource, SourceDescription, SourceSpec, StatedShape
from export.worker_process import ExportWorker, ignore

_FAILED = 4


class SourceFailedError(BenchError):
    """The source could not be opened or run."""

    def __init__(self, message: str, exit_code: int = _FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class SourceRunner:
    """Runs sources in one worker process, which loads them once; use it as a context manager."""

    def __init__(self, threads: int, timeout_s: float, *writable: Path) -> None:
        """Use so many threads; a request may take `timeout_s` seconds. For `writable` see ExportWorker."""
        self._threads, self._timeout_s, self._writable = threads, timeout_s, writable
        self._worker: ExportWorker | None = None  # nothing is started for wrong options

    def __enter__(self) -> "SourceRunner":
        self._folder = TemporaryFolder()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.__exit__(kind, error, trace)
        self._folder.delete()

    def describe(self, spec: SourceSpec, shapes: Sequence[StatedShape]) -> SourceDescription:
        """Return what a source takes and gives; raises SourceFailedError if it cannot be opened."""
        request = DescribeSource(spec=spec, shapes=tuple(shapes), threads=self._threads)
        answer = self._ask(request, spec, "opened", ignore)
        assert isinstance(answer, SourceDescribed)
        return answer.description

    def values(
        self, source: OpenSource, samples: Samples, report: Report = ignore
    ) -> npt.NDArray[np.float32]:
        """Return the source's judged output for each sample: float32 [samples, values], not a number for
        whatever is not finite.

        Raises SourceFailedError if the source cannot be run on them.
        """
        # The worker reads the samples from a pack, which has placeholder outputs.
        pack = self._folder.path / "samples.npz"
        write_pack(pack, samples.with_reference(np.zeros((len(samples), 1), dtype=np.float32)))
        request = ComputeReference(source=source, pack=str(pack), threads=self._threads)
        answer = self._ask(request, source.spec, "run on the data", report)
        assert isinstance(answer, Reference)
        return np.array(answer.logits, dtype=np.float32)

    def finite_values(
        self, source: OpenSource, samples: Samples, report: Report = ignore
    ) -> npt.NDArray[np.float32]:
        """Return the same, of a source whose answers must be finite.

        Raises SourceFailedError if one is not, or if the source cannot be run on them.
        """
        values = self.values(source, samples, report)
        strange = int((~np.isfinite(values)).any(axis=1).sum())
        if strange:
            raise SourceFailedError(
                f"{source.spec.name}: its output '{source.output.name}' is not finite for {strange} of "
                f"{len(values)} samples, so that nothing can be compared with it; correct the network, or "
                "prepare its inputs as in training",
                InputError.exit_code,
            )
        return values

    def ask(self, request: Request, report: Report) -> Answer:
        """Ask the worker; a fresh one, if there is none or the last one has died."""
        if self._worker is None or not self._worker.is_alive:
            self._worker = ExportWorker(*self._writable)
        return self._worker.ask(request, self._timeout_s, report)

    def hand_over(self) -> ExportWorker:
        """Return the worker, which has loaded the source; the caller ends it from now on."""
        worker, self._worker = self._worker, None
        return ExportWorker(*self._writable) if worker is None or not worker.is_alive else worker

    def _ask(self, request: Request, spec: SourceSpec, what: str, report: Report) -> Answer:
        answer = self.ask(request, report)
        match answer:
            case WrongInput(message=message, exit_code=exit_code):
                raise SourceFailedError(message, exit_code)
            case Refused(message=message):
                raise SourceFailedError(f"{spec.name}: could not be {what}: {message}")
            case _:
                return answer
