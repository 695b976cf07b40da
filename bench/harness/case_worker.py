"""One case in one worker: its stages in order, each with its time limit. It knows no other case."""

from types import TracebackType
from typing import TypeVar

from bench.child_process import ChildDiedError
from bench.harness import messages
from bench.harness.plan import Case
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.measurements import Failed, FailureKind, Skipped, Stage

AnswerT = TypeVar("AnswerT", messages.Loaded, messages.Inferred, messages.Peak, messages.Predicted)

_LOAD_LIMIT_S = 300.0
_ANSWER_LIMIT_S = 120.0
_SLOWEST_INFERENCE_S = 10.0
_INFERENCES_TO_PEAK = 3
_IMAGES_A_REQUEST = 32


class CaseEndedError(Exception):
    """The case is over early; `outcome` is its row."""

    def __init__(self, outcome: Failed | Skipped) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class CaseWorker:
    """A worker process that holds one case; any stage may raise CaseEndedError."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._process = WorkerProcess()

    def __enter__(self) -> "CaseWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    def load(self, pack: str | None) -> messages.Loaded:
        """Load the artifact; `pack` gives the images to time, None a grey image that costs no memory."""
        case = self.case
        request = messages.Load(
            format=case.format,
            entry=str(case.entry),
            provider=case.provider,
            engine=case.engine,
            threads=case.threads,
            cpus=case.cpus,
            image_size=case.image_size,
            pack=pack,
        )
        return self._ask(request, Stage.LOAD, messages.Loaded, _LOAD_LIMIT_S)

    def infer(self, count: int, stage: Stage, settle: int = 0) -> tuple[int, ...]:
        """Run `settle` inferences, then `count`, and return the nanoseconds of each of the latter."""
        limit_s = _ANSWER_LIMIT_S + (settle + count) * _SLOWEST_INFERENCE_S
        return self._ask(messages.Infer(count=count, settle=settle), stage, messages.Inferred, limit_s).ns

    def peak_bytes(self) -> int | None:
        """Run a few inferences and read the memory high-water mark since loading began."""
        self.infer(_INFERENCES_TO_PEAK, Stage.MEMORY)
        return self._ask(messages.ReadPeak(), Stage.MEMORY, messages.Peak).peak_bytes

    def predict(self, pack: str, images: int) -> tuple[tuple[float, ...], ...]:
        """Return the logits [images][classes] of the pack's first `images` images."""
        logits: list[tuple[float, ...]] = []
        for first in range(0, images, _IMAGES_A_REQUEST):
            count = min(_IMAGES_A_REQUEST, images - first)
            request = messages.Predict(pack=pack, first=first, count=count)
            logits.extend(self._ask(request, Stage.ACCURACY, messages.Predicted).logits)
        return tuple(logits)

    def _ask(
        self,
        request: messages.Request,
        stage: Stage,
        wanted: type[AnswerT],
        limit_s: float = _ANSWER_LIMIT_S,
    ) -> AnswerT:
        try:
            answer = self._process.ask(request, limit_s)
        except RuntimeMissingError as error:
            raise CaseEndedError(Skipped(reason=str(error))) from None
        except ChildDiedError as error:
            raise CaseEndedError(Failed(stage=stage, kind=error.kind, message=error.message)) from None
        if not isinstance(answer, wanted):
            message = f"answered '{answer.kind}' to '{request.kind}'"
            raise CaseEndedError(Failed(stage=stage, kind=FailureKind.GARBAGE, message=message))
        return answer
