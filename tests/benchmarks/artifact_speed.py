"""How fast artifacts are beside plain exports: `python tests/benchmarks/artifact_speed.py RUN BUNDLE`.

One process on one core, one thread. Every artifact and three plain exports of the same network take turns in
random order, several inferences each; printed is the median over the turns of one's median ÷ another's.
Plain are: a frozen torch trace, `torch.onnx.export`, `openvino.convert_model`, each with the options of
edgefit's runtimes.
"""

import argparse
import copy
import os
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
import openvino
import torch

from bench.bundle.manifest import ArtifactRecord, Bundle, read_bundle
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions
from bench.system.cpus import cpus_for
from models.run_folder import read_run

Infer = Callable[[npt.NDArray[np.float32]], object]
_PAIRS = [
    ("onnx-int8", "onnx-fp32", 0.60),
    ("openvino-int8", "openvino-fp32", 0.52),
    ("torchscript-int8", "plain torchscript", 0.52),
    ("onnx-fp16", "onnx-fp32", 1.1),
    ("openvino-fp16", "openvino-fp32", 1.1),
    ("torchscript-fp16", "torchscript-fp32", 1.1),
    ("torchscript-fp32", "plain torchscript", 0.87),
    ("onnx-fp32", "plain onnx", 1.0),
    ("openvino-fp32", "plain openvino", 1.0),
]


def load(name: str, entry: Path, artifact: ArtifactRecord | None = None) -> Infer:
    """Load a file with one of edgefit's runtimes; `artifact`: its record, None for a plain export."""
    options = LoadOptions(
        RunConfig(threads=1, provider=row_of(name).provider),
        precision=None if artifact is None else artifact.precision,
        engine=None if artifact is None else artifact.engine,
    )
    session = load_runtime(name).load(entry, options)
    return lambda batch: session.infer([batch])


def plain_exports(run: Path, side: int, folder: Path) -> dict[str, Infer]:
    """Export a run's network as each framework's first example does."""
    network, example = read_run(run).network(), torch.zeros(1, 3, side, side)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        frozen = torch.jit.freeze(torch.jit.trace(copy.deepcopy(network), example))  # type: ignore[no-untyped-call]
        torch.onnx.export(network, (example,), folder / "plain.onnx", dynamo=True, verbose=False)
        model = openvino.convert_model(network, example_input=example, input=[1, 3, side, side])
    openvino.save_model(model, folder / "plain.xml", compress_to_fp16=False)

    def infer_frozen(batch: npt.NDArray[np.float32]) -> object:
        with torch.inference_mode():
            return frozen(torch.from_numpy(batch)).numpy()

    return {
        "plain torchscript": infer_frozen,
        "plain onnx": load("onnx", folder / "plain.onnx"),
        "plain openvino": load("openvino", folder / "plain.xml"),
    }


def take_turns(
    sides: dict[str, Infer], batch: npt.NDArray[np.float32], passes: int
) -> dict[str, list[float]]:
    """Return each one's median latency in ms, turn by turn."""
    order = list(sides)
    found: dict[str, list[float]] = {name: [] for name in sides}
    for name in order * 10:
        sides[name](batch)
    for _ in range(passes):
        random.shuffle(order)
        for name in order:
            found[name].append(median(_samples(sides[name], batch)))
    return found


def _samples(infer: Infer, batch: npt.NDArray[np.float32]) -> list[float]:
    samples = []
    for _ in range(7):
        begin = time.perf_counter()
        infer(batch)
        samples.append((time.perf_counter() - begin) * 1e3)
    return samples[2:]


def all_of(bundle: Bundle) -> dict[str, Infer]:
    """Load every artifact."""
    return {
        one.variant: load(one.format, bundle.folder / one.entry, one) for one in bundle.manifest.artifacts
    }


def main() -> None:
    """Load everything, take turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--passes", type=int, default=100)
    asked = parser.parse_args()
    os.sched_setaffinity(0, cpus_for(1) or ())
    torch.set_num_threads(1)
    bundle = read_bundle(asked.bundle)
    with tempfile.TemporaryDirectory() as folder:
        side = bundle.manifest.model.image_size
        assert side is not None  # a run folder's images are square
        plain = plain_exports(asked.run, side, Path(folder))
        found = take_turns({**all_of(bundle), **plain}, bundle.pack().batch(0), asked.passes)
    for name, turns in found.items():
        print(f"{name:20} {median(turns):7.2f} ms")
    for one, other, limit in _PAIRS:
        ratios = [a / b for a, b in zip(found[one], found[other], strict=True)]
        low, high = np.percentile(ratios, [25, 75])
        print(
            f"{one:17} ÷ {other:18} {median(ratios):.3f} (quarters {low:.3f} to {high:.3f}; at most {limit})"
        )


if __name__ == "__main__":
    main()
