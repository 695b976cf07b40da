"""One case in one worker process: its stages in order, each with a time limit.

The order of the cases is the caller's business.
"""

from random import Random
from types import TracebackType
from typing import TypeVar

from bench.bundle.source_record import OutputRecord
from bench.harness import worker_messages
from bench.harness.child_process import ChildDiedError
from bench.harness.output_values import joined
from bench.harness.plan import MIN_BLOCK_SAMPLES, Case, ModelInputs, block_samples
from bench.harness.timed_outputs import (
    MOST_DIFFERENCE,
    ExpectedOutputs,
    is_repeatable,
    values_kept,
    wrong_output,
)
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.measurements import (
    Block,
    Executed,
    Failed,
    FailureKind,
    OutputValues,
    ProcessMemory,
    ProcessTiming,
    RepeatedInputs,
    Skipped,
    Stage,
)
from bench.runtimes.installed import row_of
from bench.system.memory_limit import MemoryGroup
from bench.units import NS_PER_S
from device_profiles.settings import Sampling

AnswerT = TypeVar(
    "AnswerT",
    worker_messages.Ready,
    worker_messages.Loaded,
    worker_messages.Inferred,
    worker_messages.Warmed,
    worker_messages.Peak,
    worker_messages.Predicted,
    worker_messages.OutputsComputed,
    worker_messages.RepeatsTimed,
    worker_messages.Inspected,
)

_WARM_UP_LIMIT_S = 10.0
_PEAK_INFERENCES = 3
IMAGES_PER_REQUEST = 8
"""How many samples are evaluated before the process answers."""
# After a pause, caches are cold and threads asleep: TorchScript's first inference took 3 times the median.
_SETTLING_INFERENCES = 2
# How often the input of a wrong output is run again, to see whether the file answers twice the same.
_UNTIMED_INFERENCES = 4
# How often a block is run at most, if the machine stands still again and again.
_TRIES = 3


class CaseEndedError(Exception):
    """The case ended early; `outcome` says how."""

    def __init__(self, outcome: Failed | Skipped) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class CaseWorker:
    """A worker process that runs one case. Every method may raise CaseEndedError."""

    def __init__(
        self,
        case: Case,
        hang_limit_s: float,
        memory_group: MemoryGroup | None = None,
        expected: ExpectedOutputs | None = None,
    ) -> None:
        """Start the process; it is ended if it does not answer within `hang_limit_s`.

        `memory_group` limits the memory of the process, from its start until `memory` has read the peak.
        `expected`: what timed inferences have to give, of which one in each block is compared.
        """
        self.case = case
        self._expected = expected
        self._pack: str | None = None
        self.all_stopped_ns = 0
        """For how long everything stood still while any answer was waited for, in nanoseconds."""
        self._random = Random(case.id)
        self._hang_limit_s = hang_limit_s
        self._memory_group = memory_group
        joins = None if memory_group is None else memory_group.processes
        config = case.config
        self._process = WorkerProcess(joins=joins, provider=config.provider, variables=config.variables)

    def __enter__(self) -> "CaseWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process in whatever state it is."""
        self._process.stop()

    @property
    def has_answered(self) -> bool:
        """Whether `end_inference` would return at once."""
        return self._process.has_answered

    @property
    def stopped_ns(self) -> int:
        """For how long everything stood still while the latest answer was waited for, in nanoseconds."""
        return round(self._process.stopped_s * NS_PER_S)

    def wait_until_ready(self) -> None:
        """Wait until the interpreter is ready, so that its start does not disturb a measurement."""
        self._ask(worker_messages.CheckReady(), Stage.START, worker_messages.Ready)

    def begin_preparing(self) -> None:
        """Have the process import its runtime, and return at once."""
        request = worker_messages.Prepare(module=row_of(self.case.format).module, cpus=self.case.cpus)
        self._send(request, Stage.START)

    def end_preparing(self) -> None:
        """Wait for what `begin_preparing` started."""
        self._receive("prepare", Stage.START, worker_messages.Ready)

    def load(self, pack: str | None) -> worker_messages.Loaded:
        """Load the artifact. Inputs are the images of `pack`; None: a grey image, which needs no memory."""
        self.begin_loading(pack)
        return self.end_loading()

    def begin_loading(self, pack: str | None) -> None:
        """Have the process load the artifact, and return at once. For `pack` see load."""
        case, self._pack = self.case, pack
        request = worker_messages.Load(
            module=row_of(case.format).module,
            entry=str(case.entry),
            files=tuple(map(str, case.files)),
            config=case.config,
            precision=case.precision,
            engine=case.engine,
            foreign_engine=case.is_proxy,
            cpus=case.cpus,
            inputs=case.inputs,
            has_open_axes=case.has_open_axes,
            pack=pack,
            is_tensor_pack=case.model is not None,
        )
        self._send(request, Stage.LOAD)

    def end_loading(self) -> worker_messages.Loaded:
        """Wait for what `begin_loading` started."""
        return self._receive("load", Stage.LOAD, worker_messages.Loaded)

    def start(
        self,
        pack: str | None,
        group: int,
        repetition: int,
        sampling: Sampling,
        warm_up_s: float = _WARM_UP_LIMIT_S,
    ) -> ProcessTiming:
        """Load, run the first inference and warm up, for at most `warm_up_s`; return the timings so far."""
        self._random.seed(f"{self.case.id}/{group}/{repetition}")
        loaded = self.load(pack)
        stopped_ns = self.stopped_ns
        first = self.infer(1, Stage.FIRST_INFERENCE, settle=0).ns[0]
        stopped_ns += self.stopped_ns
        request = worker_messages.WarmUp(
            max_inferences=sampling.warm_up, limit_s=min(warm_up_s, _WARM_UP_LIMIT_S)
        )
        warmed = self._ask(request, Stage.WARM_UP, worker_messages.Warmed)
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
            stopped_ns=stopped_ns + self.stopped_ns,
        )

    def run_block(
        self,
        started: ProcessTiming,
        sampling: Sampling,
        pass_index: int,
        position: int,
        minimum: int = MIN_BLOCK_SAMPLES,
    ) -> Block:
        """Run one block of at least `minimum` samples. A block of one sample has one inference to settle.

        A block in which everything stood still, as in a container that was paused, is run again: one of its
        samples may contain that time. The last try counts, and says for how long everything stood still.
        """
        count = block_samples(sampling, started.warm_up_ns, minimum)
        for _ in range(_TRIES):
            request = self._timed(count, settle=min(count, _SETTLING_INFERENCES))
            answer = self._ask(request, Stage.TIMING, worker_messages.Inferred)
            if not (stopped_ns := self.stopped_ns):
                break
        block = self.block_of(answer, Stage.TIMING, pass_index, position)
        return block.model_copy(update={"stopped_ns": stopped_ns})

    def infer(self, count: int, stage: Stage, settle: int = _SETTLING_INFERENCES) -> worker_messages.Inferred:
        """Run `settle` inferences, then time `count` more, and wait until the worker's threads are idle."""
        return self._ask(worker_messages.Infer(count=count, settle=settle), stage, worker_messages.Inferred)

    def begin_inference(self, count: int, stage: Stage) -> None:
        """Start `count` inferences and return at once. The worker will not wait for idle threads."""
        self._send(self._timed(count, wait_until_idle=False), stage)

    def end_inference(self, stage: Stage) -> worker_messages.Inferred:
        """Wait for the inferences that `begin_inference` started."""
        return self._receive("infer", stage, worker_messages.Inferred)

    def _timed(self, count: int, settle: int = 0, wait_until_idle: bool = True) -> worker_messages.Infer:
        """Return the request of timed inferences, of which one at a random place is compared."""
        expected = self._expected
        return worker_messages.Infer(
            count=count,
            settle=settle,
            keep_at=None if expected is None else self._random.randrange(count),
            to_keep=None if expected is None else expected.to_keep,
            wait_until_idle=wait_until_idle,
        )

    def block_of(
        self, answer: worker_messages.Inferred, stage: Stage, pass_index: int, position: int
    ) -> Block:
        """Return timed inferences as a block. Raises CaseEndedError if one of them gave a wrong output."""
        return Block(
            pass_index=pass_index,
            position=position,
            ns=answer.ns,
            counters=answer.counters,
            output_difference=self.output_difference(answer, stage),
        )

    def output_difference(self, answer: worker_messages.Inferred, stage: Stage) -> float | None:
        """Return how much the output of one of these inferences differs from that of the accuracy pass, as a
        share of the output's largest value; None if none was compared.

        Raises CaseEndedError if it is wrong.
        """
        return None if answer.kept is None else self._compared(answer.kept, stage)

    def _compared(self, kept: worker_messages.KeptOutputs, stage: Stage) -> float | None:
        """Return how much a timed inference's outputs differ from those of the accuracy pass.

        If they differ by more than rounding, the same input is run again untimed. A file that never answers
        twice the same is not wrong because it is timed; its row has a warning. Raises CaseEndedError for any
        other.
        """
        assert self._expected is not None
        difference = self._expected.difference(kept)
        if difference is None or difference <= MOST_DIFFERENCE:
            return difference
        untimed = [self._untimed(kept.input) for _ in range(_UNTIMED_INFERENCES)]
        if not is_repeatable(untimed):
            return difference
        noun = "input" if self.case.model is not None else "image"
        again = self._expected.difference(untimed[0])
        is_wrong_untimed = again is not None and again > MOST_DIFFERENCE
        message = wrong_output(f"{noun} {kept.input}", difference, is_wrong_untimed)
        raise CaseEndedError(Failed(stage=stage, kind=FailureKind.WRONG_OUTPUT, message=message))

    def _untimed(self, index: int) -> worker_messages.KeptOutputs:
        """Return the outputs of an untimed inference of one input."""
        assert self._expected is not None
        assert self._pack is not None
        to_keep = self._expected.to_keep
        if to_keep.judged is None:
            request = worker_messages.ComputeOutputs(
                pack=self._pack, first=index, count=1, names=to_keep.names, max_values=to_keep.max_values
            )
            outputs = self._ask(request, Stage.OUTPUTS, worker_messages.OutputsComputed).outputs
        else:
            judged = worker_messages.Predict(pack=self._pack, first=index, count=1, output=to_keep.judged)
            values = self._ask(judged, Stage.ACCURACY, worker_messages.Predicted).logits
            named = OutputValues(name=to_keep.judged.name, shape=None, classes=None, values=values)
            outputs = (named,)
        return worker_messages.KeptOutputs(input=index, outputs=outputs)

    def memory(self, loaded: worker_messages.Loaded) -> ProcessMemory:
        """Run a few inferences and read the memory high-water mark since loading began."""
        self.infer(_PEAK_INFERENCES, Stage.MEMORY)
        peak = self._ask(worker_messages.ReadPeak(), Stage.MEMORY, worker_messages.Peak)
        if self._memory_group is not None:  # from here on the harness itself needs memory for its images
            self._leave(self._memory_group)
        return ProcessMemory(
            runtime_bytes=loaded.runtime_bytes,
            loaded_bytes=loaded.loaded_bytes,
            peak_bytes=peak.peak_bytes,
            proportional_bytes=peak.proportional_bytes,
            device_bytes=peak.device_bytes,
        )

    def _leave(self, group: MemoryGroup) -> None:
        try:
            group.release(self._process.pid)
        except OSError as error:
            message = f"it could not leave the control group {group.folder} ({error.strerror})"
            raise CaseEndedError(
                Failed(stage=Stage.MEMORY, kind=FailureKind.ERROR, message=message)
            ) from None

    def predict(
        self, pack: str, images: int, output: OutputRecord, begin: int = 0
    ) -> tuple[tuple[float, ...], ...]:
        """Return the judged output's values [samples][values] for the pack's first `images` samples.

        Those before number `begin` are left out.
        """
        logits: list[tuple[float, ...]] = []
        for first in range(begin, images, IMAGES_PER_REQUEST):
            count = min(IMAGES_PER_REQUEST, images - first)
            self.begin_predicting(pack, first, count, output)
            logits.extend(self.end_predicting())
        return tuple(logits)

    def begin_predicting(self, pack: str, first: int, count: int, output: OutputRecord) -> None:
        """Have the process evaluate samples of a pack, and return at once."""
        request = worker_messages.Predict(pack=pack, first=first, count=count, output=output)
        self._send(request, Stage.ACCURACY)

    def end_predicting(self) -> tuple[tuple[float, ...], ...]:
        """Wait for what `begin_predicting` started; return the judged output's values [samples][values]."""
        return self._receive("predict", Stage.ACCURACY, worker_messages.Predicted).logits

    def compute_outputs(self, model: ModelInputs) -> tuple[OutputValues, ...]:
        """Return the outputs of a model file for all inputs of its tensor pack."""
        parts = []
        for first in range(0, model.count, IMAGES_PER_REQUEST):
            request = worker_messages.ComputeOutputs(
                pack=str(model.pack),
                first=first,
                count=min(IMAGES_PER_REQUEST, model.count - first),
                names=model.output_names,
                quantised=model.quantised_outputs,
                max_values=values_kept(model.count),
            )
            parts.append(self._ask(request, Stage.OUTPUTS, worker_messages.OutputsComputed).outputs)
        return joined(parts)

    def repeats(self, pack: str) -> RepeatedInputs | None:
        """Time new inputs, made of those of `pack`, and the same again; None if none can be made."""
        request = worker_messages.TimeRepeats(pack=pack, is_tensor_pack=self.case.model is not None)
        return self._ask(request, Stage.TIMING, worker_messages.RepeatsTimed).repeats

    def executed(self) -> Executed:
        """Return the runtime's own executed graph of an artifact of edgefit's own."""
        proof = self.proof()
        if proof.executed is None:
            message = proof.failure or "the runtime returned no graph"
            raise CaseEndedError(Failed(stage=Stage.PRECISION, kind=FailureKind.ERROR, message=message))
        return proof.executed

    def proof(self) -> worker_messages.Inspected:
        """Return the runtime's own executed graph, or why it could not be read."""
        return self._ask(worker_messages.Inspect(), Stage.PRECISION, worker_messages.Inspected)

    def _ask(self, request: worker_messages.Request, stage: Stage, answer_type: type[AnswerT]) -> AnswerT:
        self._send(request, stage)
        return self._receive(request.kind, stage, answer_type)

    def _send(self, request: worker_messages.Request, stage: Stage) -> None:
        try:
            self._process.send(request)
        except ChildDiedError as error:
            raise _failed(stage, error) from None

    def _receive(self, request_kind: str, stage: Stage, answer_type: type[AnswerT]) -> AnswerT:
        try:
            answer = self._process.receive(self._hang_limit_s)
        except RuntimeMissingError as error:
            raise CaseEndedError(Skipped(reason=str(error))) from None
        except ChildDiedError as error:
            raise _failed(stage, error) from None
        finally:
            self.all_stopped_ns += self.stopped_ns
        if not isinstance(answer, answer_type):
            message = f"answered '{answer.kind}' to the request '{request_kind}'"
            raise CaseEndedError(Failed(stage=stage, kind=FailureKind.GARBAGE, message=message))
        return answer


def _failed(stage: Stage, error: ChildDiedError) -> CaseEndedError:
    return CaseEndedError(Failed(stage=stage, kind=error.kind, message=error.message))
