"""Model files' medians against other tools': `python tests/benchmarks/model_file_latency.py [MODEL…]`.

An ONNX file: onnxruntime's bare loop in a fresh process, with the same options, threads, CPUs and inputs. An
OpenVINO file: OpenVINO's own benchmark_app, with -api sync -hint none -nstreams 1 -nthreads N, which fills
its input once. Each takes turns with a fresh worker of edgefit's. Printed is the median over the turns of
ours ÷ theirs; within 5 % is the aim. Without a file, a MobileNetV2 with random weights is exported.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.devices.terms import terms_of
from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, cases_of_models
from bench.measurements import Stage
from bench.run.model_set import ModelSet
from bench.run_config import RunOptions
from bench.system.host import cpus_for, read_host
from device_profiles.loading import load_profile

LAPTOP = load_profile("laptop-cpu")
COUNT = 200
WARM_UP = 50

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
times = []
for index in range(int(sys.argv[4])):
    feed = feeds[index % len(feeds)]
    begin = time.perf_counter_ns()
    session.run(None, feed)
    times.append(time.perf_counter_ns() - begin)
print(sorted(times[int(sys.argv[5]):])[(len(times) - int(sys.argv[5])) // 2] / 1e6)
"""


def ours(case: Case) -> float:
    """Return the median milliseconds of a fresh worker, after its warm-up."""
    assert case.model is not None
    with CaseWorker(case, LAPTOP.sampling.hang_limit_s) as worker:
        worker.start(str(case.model.pack), 0, 0, LAPTOP.sampling)
        return median(worker.infer(COUNT, Stage.TIMING).ns) / 1e6


def theirs(case: Case) -> float:
    """Return the median milliseconds of the other tool, in a fresh process on the same CPUs."""
    return bare_loop(case) if case.format == "onnx" else benchmark_app(case)


def bare_loop(case: Case) -> float:
    """Return the median milliseconds of onnxruntime in a loop, after as many inferences as warm up ours."""
    assert case.model is not None
    numbers = (case.config.threads, COUNT + WARM_UP, WARM_UP)
    arguments = [str(case.entry), str(case.model.pack), *map(str, numbers)]
    return float(pinned([sys.executable, "-c", BARE_LOOP, *arguments], case))


def benchmark_app(case: Case) -> float:
    """Return the median milliseconds by OpenVINO's own tool."""
    tool = Path(sys.executable).with_name("benchmark_app")
    command = [str(tool), "-m", str(case.entry), "-d", "CPU", "-api", "sync", "-hint", "none"]
    command += ["-nstreams", "1", "-nthreads", str(case.config.threads), "-niter", str(COUNT)]
    # By default it computes in bfloat16 where the CPU can, and gives images of bytes: other work than ours.
    precision = ["-ip", "f32"] if all(tensor.dtype == "float32" for tensor in case.inputs) else []
    printed = pinned([*command, "-infer_precision", "f32", *precision], case)
    match = re.search(r"Median:\s+([\d.]+) ms", printed)
    assert match is not None, printed
    return float(match[1])


def pinned(command: list[str], case: Case) -> str:
    """Run a command on a case's CPUs, and return what it prints."""
    cpus = case.cpus

    def pin() -> None:
        if cpus is not None:
            os.sched_setaffinity(0, cpus)

    return subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=pin).stdout


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
    """Take turns, each time the other one first, and return the ratio in words."""
    pairs = []
    for turn in range(turns):
        if turn % 2:
            other = theirs(case)
            pairs.append((ours(case), other))
        else:
            mine = ours(case)
            pairs.append((mine, theirs(case)))
    ratios = sorted(mine / other for mine, other in pairs)
    mine, other = (median(values) for values in zip(*pairs, strict=True))
    tool = "onnxruntime's bare loop" if case.format == "onnx" else "benchmark_app"
    return (
        f"{case.id}, {case.config.threads} thread(s), {turns} turns: ours {mine:.3f} ms, {tool} "
        f"{other:.3f} ms, ours ÷ theirs {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
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
