"""What the process that runs one case does: it takes one request a line and answers each.

It knows one session at a time; the plan, the turns and what its answers mean are the parent's. How the
process is set up stands in start.
"""

import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import EvaluationPack, read_pack
from bench.errors import MissingRuntimeError
from bench.harness import messages, process_memory
from bench.harness.block_monitor import BlockMonitor, rest
from bench.harness.process_memory import HighWaterMark
from bench.harness.timing import time_inferences, warm_up
from bench.measurements import FailureKind
from bench.runtimes.protocol import LoadOptions, Session
from bench.runtimes.table import import_runtime
from bench.system.page_cache import cached_share
from bench.system.sandbox import Confinement

_IMAGES_TO_TIME = 8
_PRINTED_SHOWN = 200


class PrintedError(Exception):
    """The runtime wrote to stdout, where nothing of ours goes."""


class Worker:
    """Holds what lives from one request to the next: the session, its inputs, the pack.

    `confinement`: that of this process; `high_water_mark`: its memory's, made before it was confined.
    """

    def __init__(self, confinement: Confinement, high_water_mark: HighWaterMark) -> None:
        self._confinement = confinement
        self._high_water_mark = high_water_mark
        self._session: Session | None = None
        self._batches: list[npt.NDArray[np.float32]] = []
        self._cpus: tuple[int, ...] | None = None
        self._pack: EvaluationPack | None = None

    def handle(self, request: messages.Request) -> messages.Answer:
        """Do what one request asks."""
        match request:
            case messages.CheckReady():
                return messages.Ready(confinement=self._confinement)
            case messages.Load():
                return self._load(request)
            case messages.Infer():
                return self._infer(request)
            case messages.WarmUp(most=most, limit_s=limit_s):
                limit_ns = round(limit_s * 1e9)
                samples_ns, steady = warm_up(
                    self._loaded(), self._batches, most, limit_ns, time.perf_counter_ns
                )
                rest()
                return messages.Warmed(ns=samples_ns, steady=steady)
            case messages.ReadPeak():
                return messages.Peak(
                    peak_bytes=self._high_water_mark.read_bytes(),
                    proportional_bytes=process_memory.proportional_bytes(),
                    device_bytes=self._loaded().device_bytes(),
                )
            case messages.Predict():
                return messages.Predicted(logits=self._predict(request))
            case messages.Inspect():
                return messages.Inspected(executed=self._loaded().executed(self._batches[0]))

    def _load(self, request: messages.Load) -> messages.Loaded:
        self._cpus = request.cpus
        if request.cpus is not None:
            os.sched_setaffinity(0, request.cpus)
        self._batches = _inputs(request)
        cached = cached_share(map(Path, request.files))
        begin = time.perf_counter_ns()
        runtime = import_runtime(request.module)
        imported = time.perf_counter_ns()
        runtime_bytes = process_memory.resident_bytes()
        self._high_water_mark.reset()
        options = LoadOptions(
            threads=request.threads,
            provider=request.provider,
            engine=request.engine,
            half=request.half,
            int8=request.int8,
            foreign_engine=request.foreign_engine,
        )
        load_begin = time.perf_counter_ns()
        self._session = runtime.load(Path(request.entry), options)
        loaded = time.perf_counter_ns()
        return messages.Loaded(
            runtime=runtime.version(),
            import_ns=imported - begin,
            load_ns=loaded - load_begin,
            cached_share=cached,
            runtime_bytes=runtime_bytes,
            loaded_bytes=process_memory.resident_bytes(),
        )

    def _infer(self, request: messages.Infer) -> messages.Inferred:
        session = self._loaded()
        time_inferences(session, self._batches, request.settle, time.perf_counter_ns)
        watch = BlockMonitor(self._cpus)
        samples_ns = time_inferences(session, self._batches, request.count, time.perf_counter_ns)
        counters = watch.stop()
        if request.rest:
            rest()
        return messages.Inferred(ns=samples_ns, counters=counters)

    def _predict(self, request: messages.Predict) -> tuple[tuple[float, ...], ...]:
        pack = self._pack = self._pack or read_pack(Path(request.pack))
        session = self._loaded()
        last = min(request.first + request.count, len(pack))
        answers = [session.infer(pack.batch(index))[0] for index in range(request.first, last)]
        if not np.isfinite(answers).all():
            raise FloatingPointError("gave logits that are not finite")
        return tuple(tuple(float(logit) for logit in answer) for answer in answers)

    def _loaded(self) -> Session:
        if self._session is None:
            raise RuntimeError("asked to infer before anything was loaded")
        return self._session


def _inputs(request: messages.Load) -> list[npt.NDArray[np.float32]]:
    if request.pack is None:
        return [np.full((1, 3, request.image_size, request.image_size), 0.5, dtype=np.float32)]
    pack = read_pack(Path(request.pack))
    return [pack.batch(index) for index in range(min(_IMAGES_TO_TIME, len(pack)))]


def serve(worker: Worker, requests: BinaryIO, answers: BinaryIO, printed: Path) -> None:
    """Answer requests until the parent closes the pipe, or one of them raises. `printed`: stdout's file."""
    for line in requests:
        answer = _answer(worker, line, printed)
        answers.write(answer.model_dump_json().encode() + b"\n")
        answers.flush()
        if isinstance(answer, messages.Raised):
            return


def _answer(worker: Worker, line: bytes, printed: Path) -> messages.Answer:
    try:
        answer = worker.handle(messages.REQUESTS.validate_json(line))
        _refuse_printing(printed)
    except Exception as error:  # noqa: BLE001 - the one place where whatever a runtime raises becomes a row
        return messages.Raised(
            message=f"{type(error).__name__}: {error}",
            failure=_kind_of(error),
            missing=isinstance(error, MissingRuntimeError),
        )
    return answer


def _refuse_printing(printed: Path) -> None:
    """Raise PrintedError if anything stands on stdout: writing is not what a runtime is timed for."""
    sys.stdout.flush()
    if printed.stat().st_size:
        words = printed.read_text(errors="replace")[:_PRINTED_SHOWN].strip()
        raise PrintedError(f"printed to stdout, which costs time that is not inference: {words!r}")


def _kind_of(error: Exception) -> FailureKind:
    # Allocation failures of C++ libraries come through as their own exceptions with these words.
    if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "allocate memory" in str(error):
        return FailureKind.MEMORY
    return FailureKind.GARBAGE if isinstance(error, PrintedError) else FailureKind.ERROR
