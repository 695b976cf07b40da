"""The process that runs one case: it obeys one request a line and answers on a pipe of its own.

It knows one session at a time; the plan, the turns and what its answers mean are the parent's.
"""

import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from bench.errors import MissingRuntimeError
from bench.evaluation_pack import EvaluationPack, read_pack
from bench.harness import memory, messages
from bench.harness.timing import time_inferences
from bench.runtimes.protocol import LoadOptions, Session
from bench.runtimes.table import load_runtime

_IMAGES_TO_TIME = 8


class Worker:
    """Holds what lives from one request to the next: the session, its inputs, the pack."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._batches: list[npt.NDArray[np.float32]] = []
        self._pack: EvaluationPack | None = None
        self._keeps_high_water_mark = False

    def obey(self, request: messages.Request) -> messages.Answer:
        """Do what one request asks."""
        match request:
            case messages.Load():
                return self._load(request)
            case messages.Infer(count=count, settle=settle):
                self._infer(settle)
                return messages.Inferred(ns=self._infer(count))
            case messages.ReadPeak():
                peak = memory.high_water_mark_bytes() if self._keeps_high_water_mark else None
                return messages.Peak(peak_bytes=peak)
            case messages.Predict():
                return messages.Predicted(logits=self._predict(request))

    def _load(self, request: messages.Load) -> messages.Loaded:
        if request.cpus is not None:
            os.sched_setaffinity(0, request.cpus)
        self._batches = _inputs(request)
        begin = time.perf_counter_ns()
        runtime = load_runtime(request.format)
        imported = time.perf_counter_ns()
        runtime_bytes = memory.resident_bytes()
        self._keeps_high_water_mark = memory.reset_high_water_mark()
        options = LoadOptions(threads=request.threads, provider=request.provider, engine=request.engine)
        load_begin = time.perf_counter_ns()
        self._session = runtime.load(Path(request.entry), options)
        loaded = time.perf_counter_ns()
        return messages.Loaded(
            runtime=runtime.version(),
            import_ns=imported - begin,
            load_ns=loaded - load_begin,
            runtime_bytes=runtime_bytes,
            loaded_bytes=memory.resident_bytes(),
        )

    def _infer(self, count: int) -> tuple[int, ...]:
        return time_inferences(self._loaded(), self._batches, count, time.perf_counter_ns)

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


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the parent closes the pipe, or one of them raises."""
    worker = Worker()
    for line in requests:
        answer = _answer(worker, line)
        answers.write(answer.model_dump_json().encode() + b"\n")
        answers.flush()
        if isinstance(answer, messages.Raised):
            return


def _answer(worker: Worker, line: bytes) -> messages.Answer:
    try:
        return worker.obey(messages.REQUESTS.validate_json(line))
    except Exception as error:  # noqa: BLE001 - the one place where whatever a runtime raises becomes a row
        return messages.Raised(
            message=f"{type(error).__name__}: {error}", missing=isinstance(error, MissingRuntimeError)
        )


def main() -> None:
    """Serve requests from stdin on the pipe whose number is the first argument.

    What a runtime prints to stdout goes to stderr, where it cannot be mistaken for an answer.
    """
    os.dup2(2, 1)
    with open(int(sys.argv[1]), "wb") as answers:
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
