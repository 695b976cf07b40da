"""Model files' medians against other tools': `python tests/benchmarks/model_file_latency.py [MODEL…]`.

An ONNX file: onnxruntime's bare loop in a fresh process, with the same options, threads, CPUs and inputs; the
two processes run short blocks in turn, so that a load on the machine meets both. An
OpenVINO file: OpenVINO's own benchmark_app, with -api sync -hint none -nstreams 1 -nthreads N, which fills
its input once. Each takes turns with a fresh worker of edgefit's. Printed is the median over the turns of
ours ÷ theirs, by the medians and by the fastest inferences, which other programs hardly make longer; within
5 % is the aim. Without a file, a MobileNetV2 with random weights is exported.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.devices.terms import terms_of
from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, cases_of_models
from bench.measurements import Stage
from bench.run.model_set import ModelSet
from bench.run_config import RunOptions
from bench.system.cpus import cpus_for
from bench.system.host import read_host
from device_profiles.loading import load_profile

LAPTOP = load_profile("laptop-cpu")
COUNT = 200
BLOCK = 20
SETTLE = 2
WARM_UP = 50


@dataclass(frozen=True)
class Times:
    """What one tool measured, in milliseconds."""

    median: float
    fastest: float


Pair = tuple[Times, Times]
"""Ours, and the other tool's."""

BARE_LOOP = """
import sys, time
import numpy as np, onnxruntime
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = int(sys.argv[3])
settings.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], settings, providers=["CPUExecutionProvider"])
names = [each.name for each in session.get_inputs()]
with np.load(sys.argv[2]) as pack:
    arrays = [pack[f"input_{index}"] for index in range(len(names))]
feeds = [dict(zip(names, values)) for values in zip(*arrays)]
for line in sys.stdin:
    settle, count = map(int, line.split())
    times = []
    for index in range(settle + count):
        feed = feeds[index % len(feeds)]
        begin = time.perf_counter_ns()
        session.run(None, feed)
        times.append(time.perf_counter_ns() - begin)
    taken = sorted(times[settle:])
    print(taken[count // 2] / 1e6, taken[0] / 1e6, flush=True)
"""


def against_bare_loop(case: Case) -> Pair:
    """Return the medians of both in fresh processes, which take turns in blocks."""
    assert case.model is not None
    arguments = [str(case.entry), str(case.model.pack), str(case.config.threads)]
    command = [sys.executable, "-c", BARE_LOOP, *arguments]
    with (
        worker(case) as ours,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=partial(pin, case)
        ) as theirs,
    ):
        run_block(theirs, 0, WARM_UP)
        blocks = [(times_of(ours, BLOCK), run_block(theirs, SETTLE, BLOCK)) for _ in range(COUNT // BLOCK)]
    mine, other = zip(*blocks, strict=True)
    return together(mine), together(other)


def times_of(ours: CaseWorker, count: int) -> Times:
    """Have edgefit's worker run a block."""
    taken = ours.infer(count, Stage.TIMING).ns
    return Times(median(taken) / 1e6, min(taken) / 1e6)


def together(blocks: Sequence[Times]) -> Times:
    """Return the median of medians, and the fastest of all."""
    return Times(median(each.median for each in blocks), min(each.fastest for each in blocks))


def run_block(loop: subprocess.Popen[str], settle: int, count: int) -> Times:
    """Have the bare loop run a block."""
    assert loop.stdin is not None
    assert loop.stdout is not None
    loop.stdin.write(f"{settle} {count}\n")
    loop.stdin.flush()
    return Times(*map(float, loop.stdout.readline().split()))


@contextmanager
def worker(case: Case) -> Iterator[CaseWorker]:
    """Yield a fresh worker of edgefit's that is warm."""
    assert case.model is not None
    with CaseWorker(case, LAPTOP.sampling.hang_limit_s) as started:
        started.start(str(case.model.pack), 0, 0, LAPTOP.sampling)
        yield started


def against_benchmark_app(case: Case) -> Pair:
    """Return the times of both in fresh processes, one behind the other."""
    with worker(case) as ours:
        mine = times_of(ours, COUNT)
    return mine, benchmark_app(case)


def benchmark_app(case: Case) -> Times:
    """Return what OpenVINO's own tool measures."""
    tool = Path(sys.executable).with_name("benchmark_app")
    command = [str(tool), "-m", str(case.entry), "-d", "CPU", "-api", "sync", "-hint", "none"]
    command += ["-nstreams", "1", "-nthreads", str(case.config.threads), "-niter", str(COUNT)]
    # By default it computes in bfloat16 where the CPU can, and gives images of bytes: other work than ours.
    precision = ["-ip", "f32"] if all(tensor.dtype == "float32" for tensor in case.inputs) else []
    printed = pinned([*command, "-infer_precision", "f32", *precision], case)
    return Times(*(milliseconds(word, printed) for word in ("Median", "Min")))


def milliseconds(word: str, printed: str) -> float:
    """Read one of benchmark_app's figures, which are in microseconds if they are less than a millisecond."""
    match = re.search(rf"{word}:\s+([\d.]+) (ms|us)", printed)
    assert match is not None, printed
    return float(match[1]) / (1000 if match[2] == "us" else 1)


def pinned(command: list[str], case: Case) -> str:
    """Run a command on a case's CPUs, and return what it prints."""
    return subprocess.run(
        command, capture_output=True, text=True, check=True, preexec_fn=partial(pin, case)
    ).stdout


def pin(case: Case) -> None:
    """Pin this process to a case's CPUs."""
    if case.cpus is not None:
        os.sched_setaffinity(0, case.cpus)


def exported(folder: Path) -> list[Path]:
    """Export torchvision's MobileNetV2 with random weights as ONNX and as OpenVINO's own format."""
    import openvino
    import torch

    from models.torchvision_import import import_torchvision_models

    torch.manual_seed(0)
    network = import_torchvision_models().mobilenet_v2(weights=None).eval()
    onnx_file, xml_file = folder / "mobilenet_v2.onnx", folder / "mobilenet_v2.xml"
    torch.onnx.export(network, (torch.rand(1, 3, 224, 224),), onnx_file, input_names=["images"])
    openvino.save_model(openvino.convert_model(onnx_file), xml_file, compress_to_fp16=False)
    return [onnx_file, xml_file]


def compare(case: Case, turns: int) -> str:
    """Take turns in fresh processes, and return the ratio in words."""
    against, tool = (
        (against_bare_loop, "onnxruntime's bare loop")
        if case.format == "onnx"
        else (against_benchmark_app, "benchmark_app")
    )
    found = [against(case) for _ in range(turns)]
    medians = sorted(ours.median / theirs.median for ours, theirs in found)
    fastest = sorted(ours.fastest / theirs.fastest for ours, theirs in found)
    mine, other = (median(each.median for each in side) for side in zip(*found, strict=True))
    return (
        f"{case.id}, {case.config.threads} thread(s), {turns} turns: ours {mine:.3f} ms, {tool} "
        f"{other:.3f} ms, ours ÷ theirs {median(medians):.3f} ({medians[0]:.3f} to {medians[-1]:.3f}), "
        f"of the fastest {median(fastest):.3f} ({fastest[0]:.3f} to {fastest[-1]:.3f})"
    )


def main() -> None:
    """Compare each file, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="*")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, ModelSet(options.models or exported(Path(folder)), {}) as models:
        terms, cpus = terms_of(LAPTOP, read_host()), cpus_for(options.threads)
        run = RunOptions(threads=options.threads)
        for case in cases_of_models(models.models, LAPTOP, terms, run, cpus):
            print(compare(case, options.turns), flush=True)


if __name__ == "__main__":
    main()
