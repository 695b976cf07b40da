"""Two ExecuTorch programs of one network, turn by turn and layer by layer: where is int8 faster?

PYTHONPATH=tests python tests/benchmarks/executorch_layers.py BUNDLE/executorch-fp32/model.pte \
    BUNDLE/executorch-int8/model.pte

It prints the median latency of edgefit's own inference and of the runtime's `execute` alone, and for each
kind of operator its time by the runtime's events. Other programs on the machine make the medians longer, and
the tenth percentile of each operator's times hardly.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from executorch.extension.pybindings import _C

from bench.bundle.flatbuffer import ULONG, root_table
from bench.bundle.signature import Inputs
from bench.bundle.tensor_pack import random_pack
from bench.run_config import RunConfig
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.run_executorch import describe, load

_TURNS, _SAMPLES, _RUNS = 30, 8, 60
_KINDS = {
    "DWConv": "depthwise convolutions",
    "GEMM": "pointwise convolutions and linear layers",
    "IGEMM": "other convolutions",
}


@dataclass
class Measured:
    """A program, and the times of its inferences in milliseconds."""

    path: Path
    inputs: Inputs
    ours: list[float] = field(default_factory=list)
    own_loop: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = load(self.path, LoadOptions(RunConfig(threads=1, provider="cpu")))
        self.program = _C._load_program(str(self.path))
        self.method = self.program.load_method("forward")

    def take_turn(self) -> None:
        self.session.infer(self.inputs)
        self.ours += timed(lambda: self.session.infer(self.inputs))
        self.method.set_inputs([torch.from_numpy(values) for values in self.inputs])
        self.method.execute()
        self.own_loop += timed(self.method.execute)

    def by_kind(self) -> dict[str, float]:
        """Return the time of each kind of operator in milliseconds."""
        times: dict[str, list[int]] = defaultdict(list)
        for name, nanoseconds in self._events():
            times[name].append(nanoseconds)
        sums: dict[str, float] = defaultdict(float)
        for name, each in times.items():
            words = name.partition(" #")[0]
            sums[_KINDS.get(words.rpartition(" ")[2], words)] += float(np.quantile(each, 0.1)) / 1e6
        return dict(sums)

    def _events(self) -> list[tuple[str, int]]:
        program = _C._load_program(str(self.path), enable_etdump=True)
        method = program.load_method("forward")
        for _ in range(_RUNS):
            method.call([torch.from_numpy(values) for values in self.inputs])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.etdp"
            program.write_etdump_result_to_file(str(path), None)
            runs = root_table(path.read_bytes(), 4).tables(1)
        events = [event.table(0) for run in runs if run.text(0) == "Execute" for event in run.tables(3)]
        delegated = [event for event in events if event is not None and event.text(4)]
        return [(event.text(4), event.number(7, ULONG) - event.number(6, ULONG)) for event in delegated]


def timed(run: Callable[[], Any]) -> list[float]:
    times = []
    for _ in range(_SAMPLES):
        began = time.perf_counter()
        run()
        times.append((time.perf_counter() - began) * 1e3)
    return times


def main(files: list[Path]) -> None:
    inputs = random_pack(describe(files[0]).signature.inputs, 1).inputs(0)
    both = [Measured(path, inputs) for path in files]
    for _ in range(_TURNS):
        for measured in both:
            measured.take_turn()
    first, second = both
    for measured in both:
        ours, own = np.median(measured.ours), np.median(measured.own_loop)
        print(f"{measured.path}: {ours:.2f} ms, its own loop {own:.2f} ms, {ours / own:.3f} of it")
    print(f"second ÷ first: {np.median(second.ours) / np.median(first.ours):.3f}")
    before, after = first.by_kind(), second.by_kind()
    for kind in sorted({*before, *after}, key=lambda kind: -before.get(kind, 0)):
        print(f"{kind}: {before.get(kind, 0):.3f} ms, {after.get(kind, 0):.3f} ms")
    print(f"all operators: {sum(before.values()):.3f} ms, {sum(after.values()):.3f} ms")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:3]])
