"""One case in one worker: its stages in order, each with its time limit. It knows no other case."""

from types import TracebackType
from typing import TypeVar

from bench.bundle.variants import Precision
from bench.harness import messages
from bench.harness.child_process import ChildDiedError
from bench.harness.plan import FEWEST_BLOCK_SAMPLES, Case, block_samples
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.measurements import Executed, Failed, FailureKind, Memory, ProcessTiming, Skipped, Stage
from bench.runtimes.table import row_of
from bench.system.memory_limit import MemoryGroup
from device_profiles.settings import Sampling

AnswerT = TypeVar(
    "AnswerT",
    messages.Ready,
    messages.Loaded,
    messages.Inferred,
    messages.Warmed,
    messages.Peak,
    messages.Predicted,
    messages.Inspected,
)

_WARM_UP_LIMIT_S = 10.0
_INFERENCES_TO_PEAK = 3
_IMAGES_A_REQUEST = 8
# The first inferences after a pause find cold caches and sleeping threads (TorchScript: 3 times the median).
_INFERENCES_TO_SETTLE = 2


class CaseEndedError(Exception):
    """The case is over early; `outcome` is its row."""

    def __init__(self, outcome: Failed | Skipped) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class CaseWorker:
    """A worker process that holds one case; any stage may raise CaseEndedError.

    `hang_limit_s`: after so many seconds without an answer the worker is ended. `group`: limits its memory,
    from its first instruction on until `memory` has been read.
    """

    def __init__(self, case: Case, hang_limit_s: float, group: MemoryGroup | None = None) -> None:
        self.case = case
        self._hang_limit_s = hang_limit_s
        self._group = group
        joins = None if group is None else group.processes
        self._process = WorkerProcess(joins=joins, provider=case.provider)

    def __enter__(self) -> "CaseWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    @property
    def has_answered(self) -> bool:
        """Whether `end_inference` would not wait."""
        return self._process.has_answered

    def wait_until_ready(self) -> None:
        """Wait until the interpreter is up, so that its start disturbs nobody."""
        self._ask(messages.CheckReady(), Stage.START, messages.Ready)

    def load(self, pack: str | None) -> messages.Loaded:
        """Load the artifact; `pack` gives the images to time, None a grey image that costs no memory."""
        case = self.case
        request = messages.Load(
            module=row_of(case.format).module,
            entry=str(case.entry),
            files=tuple(map(str, case.files)),
            provider=case.provider,
            engine=case.engine,
            half=case.precision is Precision.FP16,
            int8=case.precision is Precision.INT8,
            foreign_engine=case.is_proxy,
            threads=case.threads,
            cpus=case.cpus,
            image_size=case.image_size,
            pack=pack,
        )
        return self._ask(request, Stage.LOAD, messages.Loaded)

    def start(
        self, pack: str, group: int, repetition: int, sampling: Sampling, warm_up_s: float = _WARM_UP_LIMIT_S
    ) -> ProcessTiming:
        """Load, infer once and warm up, for `warm_up_s` at the most; return the process without a block."""
        loaded = self.load(pack if self.case.is_judged else None)
        first = self.infer(1, Stage.FIRST_INFERENCE, settle=0).ns[0]
        request = messages.WarmUp(most=sampling.warm_up, limit_s=min(warm_up_s, _WARM_UP_LIMIT_S))
        warmed = self._ask(request, Stage.WARM_UP, messages.Warmed)
        return ProcessTiming(
            group=group,
            repetition=repetition,
            import_ns=loaded.import_ns,
            load_ns=loaded.load_ns,
            cached_share=loaded.cached_share,
            first_inference_ns=first,
            warm_up_ns=warmed.ns,
            steady=warmed.steady,
            blocks=(),
        )

    def run_block(
        self, started: ProcessTiming, sampling: Sampling, fewest: int = FEWEST_BLOCK_SAMPLES
    ) -> messages.Inferred:
        """Run one block of inferences, `fewest` at the least; where one is enough, one settles it too."""
        count = block_samples(sampling, started.warm_up_ns, fewest)
        return self.infer(count, Stage.TIMING, settle=min(count, _INFERENCES_TO_SETTLE))

    def infer(self, count: int, stage: Stage, settle: int = _INFERENCES_TO_SETTLE) -> messages.Inferred:
        """Run `settle` inferences, then `count` that are timed, and wait until the worker's threads rest."""
        return self._ask(messages.Infer(count=count, settle=settle), stage, messages.Inferred)

    def begin_inference(self, count: int, stage: Stage) -> None:
        """Have `count` inferences run without a rest behind them, and do not wait for them."""
        try:
            self._process.tell(messages.Infer(count=count, rest=False))
        except ChildDiedError as error:
            raise _failed(stage, error) from None

    def end_inference(self, stage: Stage) -> messages.Inferred:
        """Wait for what `begin_inference` began."""
        return self._receive("infer", stage, messages.Inferred)

    def memory(self, loaded: messages.Loaded) -> Memory:
        """Run a few inferences and read the memory high-water mark since loading began."""
        self.infer(_INFERENCES_TO_PEAK, Stage.MEMORY)
        answer = self._ask(messages.ReadPeak(), Stage.MEMORY, messages.Peak)
        if self._group is not None:  # what follows is the harness's own need, not the artifact's
            self._group.release(self._process.pid)
        return Memory(
            runtime_bytes=loaded.runtime_bytes,
            loaded_bytes=loaded.loaded_bytes,
            peak_bytes=answer.peak_bytes,
            proportional_bytes=answer.proportional_bytes,
            device_bytes=answer.device_bytes,
        )

    def predict(self, pack: str, images: int) -> tuple[tuple[float, ...], ...]:
        """Return the logits [images][classes] of the pack's first `images` images."""
        logits: list[tuple[float, ...]] = []
        for first in range(0, images, _IMAGES_A_REQUEST):
            count = min(_IMAGES_A_REQUEST, images - first)
            request = messages.Predict(pack=pack, first=first, count=count)
            logits.extend(self._ask(request, Stage.ACCURACY, messages.Predicted).logits)
        return tuple(logits)

    def executed(self) -> Executed:
        """Return what the runtime's own executed graph says ran."""
        return self._ask(messages.Inspect(), Stage.PRECISION, messages.Inspected).executed

    def _ask(self, request: messages.Request, stage: Stage, wanted: type[AnswerT]) -> AnswerT:
        try:
            self._process.tell(request)
        except ChildDiedError as error:
            raise _failed(stage, error) from None
        return self._receive(request.kind, stage, wanted)

    def _receive(self, asked: str, stage: Stage, wanted: type[AnswerT]) -> AnswerT:
        try:
            answer = self._process.receive(self._hang_limit_s)
        except RuntimeMissingError as error:
            raise CaseEndedError(Skipped(reason=str(error))) from None
        except ChildDiedError as error:
            raise _failed(stage, error) from None
        if not isinstance(answer, wanted):
            message = f"answered '{answer.kind}' to '{asked}'"
            raise CaseEndedError(Failed(stage=stage, kind=FailureKind.GARBAGE, message=message))
        return answer


def _failed(stage: Stage, error: ChildDiedError) -> CaseEndedError:
    return CaseEndedError(Failed(stage=stage, kind=error.kind, message=error.message))
