"""Where the time of int8 goes in ONNX and OpenVINO files, by kind of operator, beside fp32.

PYTHONPATH=tests python tests/benchmarks/int8_layers.py BUNDLE|FP32,INT8[,BEFORE] [--before BUNDLE] [--layers]

One process on one core, one thread. Each format's fp32 and int8 file, and an int8 file of before, take turns
in random order, a few inferences each: files of a bundle, or model files of one format. Printed is each one's
5th percentile and median, the median over the turns of its fastest inference ÷ that of the others, and the
share of the core's limit: multiply-accumulates ÷ 5th percentile ÷ what the core's int8 instructions reach. A
large product of int8 matrices in onnxruntime shows what a runtime can reach at most. Then follows the time of
each kind of operator by the runtime's own profile; `--layers` prints every operator of the int8 file too.
"""

import argparse
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from benchmarks.core_limit import core_limit
from benchmarks.timed_operators import TimedOperator, timed_operators
from onnx import TensorProto, helper, numpy_helper

from bench.bundle.manifest import Bundle, read_bundle
from bench.bundle.signature import Inputs
from bench.bundle.tensor_pack import random_pack
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions
from bench.system.cpus import cpus_for

_FORMATS = ("onnx", "openvino")
_LABELS = ("fp32", "int8", "before")
_SAMPLES = 8
_MATRIX = 1024


@dataclass
class Side:
    """A file that takes turns."""

    format: str
    label: str
    entry: Path
    inputs: Inputs
    samples: list[float] = field(default_factory=list)
    fastest: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        options = LoadOptions(RunConfig(threads=1, provider=row_of(self.format).provider))
        self._session = load_runtime(self.format).load(self.entry, options)

    def take_turn(self) -> None:
        self._session.infer(self.inputs)
        turn = list(timed(lambda: self._session.infer(self.inputs), _SAMPLES))
        self.samples += turn
        self.fastest.append(min(turn))

    def operators(self) -> list[TimedOperator]:
        return timed_operators(self.format, self.entry, self.inputs)


def timed(run: Callable[[], Any], count: int) -> Iterator[float]:
    """Yield the milliseconds of each of several runs."""
    for _ in range(count):
        began = time.perf_counter()
        run()
        yield (time.perf_counter() - began) * 1e3


def sides_of_files(files: list[Path]) -> list[Side]:
    """Load model files of one format, which get random inputs: one in fp32, one in int8, one of before."""
    format_ = "onnx" if files[0].suffix == ".onnx" else "openvino"
    inputs = random_pack(load_runtime(format_).describe(files[0]).signature.inputs, 1).inputs(0)
    return [Side(format_, label, file, inputs) for label, file in zip(_LABELS, files, strict=False)]


def sides_of(bundle: Bundle, before: Bundle | None) -> list[Side]:
    """Load the fp32 and int8 files of a bundle, and the int8 files of an earlier one."""
    inputs = bundle.pack().inputs(0)
    loaded = []
    for label, each, precisions in (("", bundle, ("fp32", "int8")), ("before", before, ("int8",))):
        for artifact in () if each is None else each.manifest.artifacts:
            if artifact.format in _FORMATS and artifact.precision.value in precisions:
                assert each is not None
                entry = each.folder / artifact.entry
                loaded.append(Side(artifact.format, label or artifact.precision.value, entry, inputs))
    return loaded


def take_turns(sides: list[Side], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for side in random.sample(sides, len(sides)):
            side.take_turn()


def large_product_gmacs() -> float:
    """Return how many int8 products a second onnxruntime reaches on large matrices, in billions."""
    values = np.random.default_rng(0).integers(-64, 65, (_MATRIX, _MATRIX), dtype=np.int8)
    shape = [_MATRIX, _MATRIX]
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("c", TensorProto.INT32, shape)],
        [numpy_helper.from_array(values, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), settings)
    product = {"a": values.view(np.uint8)}
    return _MATRIX**3 / min(timed(lambda: session.run(None, product), 30)) / 1e6


def print_latency(sides: list[Side], macs: int, limit: float | None) -> None:
    """Print the latency of one format's files, and how they compare."""
    for side in sides:
        low, middle = np.quantile(side.samples, [0.05, 0.5])
        words = [f"{side.format} {side.label}: {low:.3f} ms (p5), {middle:.3f} (p50)"]
        others = sides if side.label == "int8" else ()
        for other in others:
            if other is not side:
                ratio = np.median(np.divide(side.fastest, other.fastest))
                words.append(f"÷ {other.label} {ratio:.3f}")
        if limit is not None and side.label != "fp32":
            words.append(f"{macs / 1e6 / low / limit:.1%} of the limit")
        print(", ".join(words))


def print_kinds(of_float: list[TimedOperator], of_int8: list[TimedOperator]) -> None:
    """Print the time of each kind of operator, and of layers that are kept in fp32, as a Markdown table."""
    macs: dict[str, int] = defaultdict(int)
    times: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    kinds = iter([kind_in_int8(each) for each in of_int8 if each.macs])
    for operator in of_float:
        # Layers stand in the same order in both files.
        times[next(kinds) if operator.macs else operator.kind][0] += operator.milliseconds
    for operator in of_int8:
        times[kind_in_int8(operator)][1] += operator.milliseconds
        macs[kind_in_int8(operator)] += operator.macs
    print("\n| | MMAC | fp32, ms | int8, ms |\n|---|---|---|---|")
    for kind, (before, after) in sorted(times.items(), key=lambda item: -item[1][1]):
        print(f"| {kind} | {macs[kind] / 1e6:.1f} | {before:.3f} | {after:.3f} |")
    before, after = (sum(column) for column in zip(*times.values(), strict=True))
    print(f"| all operators | {sum(macs.values()) / 1e6:.1f} | {before:.3f} | {after:.3f} |\n")


def kind_in_int8(operator: TimedOperator) -> str:
    """Return what a row of the table calls an operator of an int8 file."""
    is_kept = operator.macs and operator.precision == "fp32"
    return f"{operator.kind}, kept in fp32" if is_kept else operator.kind


def print_layers(operators: list[TimedOperator], limit: float | None) -> None:
    """Print every operator with its time and, of a layer, the share of the limit that it reaches."""
    for each in operators:
        reached = each.macs / 1e6 / each.milliseconds if each.macs else 0.0
        share = f"{reached / limit:6.1%}" if limit and reached else ""
        print(
            f"{each.milliseconds:.3f} ms {share:7} {each.precision} {each.kind}, {each.output}: {each.name}"
        )


def main() -> None:
    """Take turns, profile, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", help="a bundle, or model files with commas")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--layers", action="store_true")
    asked = parser.parse_args()
    os.sched_setaffinity(0, cpus_for(1) or ())
    if "," in asked.bundle:
        sides = sides_of_files(list(map(Path, asked.bundle.split(","))))
    else:
        before = read_bundle(asked.before) if asked.before else None
        sides = sides_of(read_bundle(Path(asked.bundle)), before)
    limit = core_limit()
    print(f"{limit.sentence}; a large product in onnxruntime: {large_product_gmacs():.0f} GMAC/s")
    take_turns(sides, asked.seconds)
    for format_ in dict.fromkeys(side.format for side in sides):
        ours = [side for side in sides if side.format == format_]
        by_label = {side.label: side.operators() for side in ours if side.label != "before"}
        # Channels that are padded to whole vectors are computed, but are no work of the network.
        macs = min(sum(each.macs for each in operators) for operators in by_label.values())
        print_latency(ours, macs, limit.int8_gmacs)
        print_kinds(by_label["fp32"], by_label["int8"])
        if asked.layers:
            print_layers(by_label["int8"], limit.int8_gmacs)


if __name__ == "__main__":
    main()
