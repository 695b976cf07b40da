"""A runtime that does to its process what the entry file says: `FAULT [STAGE]`, at loading or later.

It takes the place of a format's runtime in the table, and is imported by workers.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.bundle.model_graph import ModelGraph
from bench.bundle.signature import Inputs, ModelDescription, Outputs, Signature, Tensor, image_input
from bench.bundle.variants import Precision
from bench.measurements import Executed
from bench.runtimes.protocol import LoadOptions

MIB = 1 << 20
_SIGNALS = {
    "segfault": signal.SIGSEGV,
    "kill": signal.SIGKILL,
    "illegal": signal.SIGILL,
    "real-time": signal.SIGRTMIN + 1,
}
_HELD: list[np.ndarray] = []


def do(fault: str) -> None:
    sys.stderr.write(f"last words before {fault}\n")
    sys.stderr.flush()
    match fault:
        case "segfault" | "kill" | "illegal" | "real-time":
            os.kill(os.getpid(), _SIGNALS[fault])
        case "memory":
            _HELD.append(np.ones(1 << 60, dtype=np.uint8))
        case "hang":
            time.sleep(600)
        case "print":
            print("hello from a chatty runtime")
        case "exit":
            os._exit(7)
        case "leave":
            os._exit(0)
        case "raise":
            raise RuntimeError("the operator is not implemented")
        case "allocate":
            _HELD.append(np.ones(64 * MIB, dtype=np.uint8))
        case "allocate-and-free":
            np.ones(64 * MIB, dtype=np.uint8).sum()


def _is_timed() -> bool:
    """Tell as a runtime could that looks at its caller."""
    return sys._getframe(3).f_code.co_name in ("time_inferences", "time_and_keep")


class FaultySession:
    def __init__(self, fault: str, stage: str, threads: int) -> None:
        self._fault, self._stage, self._threads = fault, stage, threads
        self._count = 0
        self._earlier = np.zeros((1, 2))
        self._began_grey = False
        self._remembered: set[bytes] = set()

    def infer(self, inputs: Inputs) -> Outputs:
        self._count += 1
        if self._count == 1:  # the process that computes accuracy begins with a grey image
            self._began_grey = bool((inputs[0] == 0.5).all())
        if self._stage == "infer" and self._count == 3:
            do(self._fault)
        if self._stage == "remember" and (content := inputs[0].tobytes()) not in self._remembered:
            self._remembered.add(content)
            time.sleep(0.01)
        # Longer than the null runtime, and the same each time.
        right = np.full((1, 2), 1 + inputs[0].reshape(-1)[:1000].sum(), dtype=np.float32) * [1, -1]
        if self._stage == "one-thread" and self._threads == 1:
            return self._with_one_thread(right)
        return self._wrong(right) if self._stage == "timed" else [right]

    def _with_one_thread(self, right: np.ndarray) -> Outputs:
        if self._fault == "round":
            return [np.nextafter(right, np.float32(np.inf))]
        do(self._fault)
        return [right]

    def _wrong(self, right: np.ndarray) -> Outputs:
        """Answer as the fault says in a block, whose inferences follow each other without a request."""
        is_timed, earlier = _is_timed(), self._earlier
        self._earlier = right
        match self._fault:
            case "zeros" if is_timed:
                return [np.zeros_like(right)]
            case "previous" if is_timed:
                return [earlier]
            case "random":
                return [right * np.random.default_rng().random()]
            case "in-timed-processes" if not self._began_grey:
                return [np.zeros_like(right)]
        return [right]

    def executed(self, inputs: Inputs) -> Executed:
        if self._stage == "executed":
            do(self._fault)
        return Executed(source="a test", operators=(), casts=0, quantise=0, dequantise=0)

    def device_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        pass


def describe(entry: Path) -> ModelDescription:
    fault, _, stage = entry.read_text().splitlines()[0].partition(" ")
    if stage == "describe":
        do(fault)
    signature = Signature(inputs=(image_input(32),), outputs=())
    return ModelDescription(signature=signature, precision=Precision.FP32)


def load(entry: Path, options: LoadOptions) -> FaultySession:
    fault, _, stage = entry.read_text().splitlines()[0].partition(" ")
    if stage == "load":
        do(fault)
    return FaultySession(fault, stage, options.config.threads)


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
    return ModelGraph(
        producer=None, ir_version=None, opsets=(), operators=(), parameters=0, precision=Precision.FP32
    )


def version() -> str:
    return "faulty 1"
