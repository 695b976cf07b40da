"""Our medians against others' on the same file: `python tests/benchmarks/against_other_tools.py BUNDLE`.

OpenVINO's own benchmark_app (synchronous, as many threads, on the same CPUs) and, for onnxruntime, LiteRT and
ExecuTorch, a bare loop in a fresh process; each takes turns with ours in fresh processes. Printed is the
median over the rounds of ours ÷ theirs. What is copied differs: ours copies a float32 batch in and the
logits out within the timed region, a new batch each time; benchmark_app fills its input tensor once, before
it times anything. So our OpenVINO session is also run without these copies, which tells how much of the
difference they are.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from bench.bundle.manifest import read_bundle
from bench.devices.terms import terms_of
from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, cases_of, planned_evaluation
from bench.measurements import Stage
from bench.run_config import RunOptions
from bench.system.cpus import cpus_for
from bench.system.host import read_host
from device_profiles.loading import load_profile

SAMPLING = load_profile("laptop-cpu").sampling
COUNT = 200

ONNX_LOOP = """
import sys, time
import numpy as np, onnxruntime
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], settings, providers=["CPUExecutionProvider"])
one = session.get_inputs()[0]
batch = np.random.default_rng(0).random(one.shape, dtype=np.float32)
times = []
for _ in range(int(sys.argv[3])):
    begin = time.perf_counter_ns()
    session.run(None, {one.name: batch})
    times.append(time.perf_counter_ns() - begin)
print(sorted(times[len(times) // 4:])[len(times) * 3 // 8] / 1e6)
"""

LITERT_LOOP = """
import sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=int(sys.argv[2]))
interpreter.allocate_tensors()
(one,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
batch = np.random.default_rng(0).random(one["shape"], dtype=np.float32)
times = []
for _ in range(int(sys.argv[3])):
    begin = time.perf_counter_ns()
    interpreter.set_tensor(one["index"], batch)
    interpreter.invoke()
    interpreter.get_tensor(given["index"])
    times.append(time.perf_counter_ns() - begin)
print(sorted(times[len(times) // 4:])[len(times) * 3 // 8] / 1e6)
"""

EXECUTORCH_LOOP = """
import sys, time
import torch
from executorch.extension.pybindings import _C
from executorch.runtime import Runtime
_C._unsafe_reset_threadpool(int(sys.argv[2]))  # or it takes all cores of the machine
method = Runtime.get().load_program(sys.argv[1]).load_method("forward")
batch = torch.rand(method.metadata.input_tensor_meta(0).sizes())
times = []
for _ in range(int(sys.argv[3])):
    begin = time.perf_counter_ns()
    method.execute([batch])
    times.append(time.perf_counter_ns() - begin)
print(sorted(times[len(times) // 4:])[len(times) * 3 // 8] / 1e6)
"""

LOOPS = {"onnx": ONNX_LOOP, "litert": LITERT_LOOP, "executorch": EXECUTORCH_LOOP}

# Ours without the copy of the input: the tensor is filled once, as benchmark_app does it.
WITHOUT_COPY = """
import sys, time
from pathlib import Path
import numpy as np
from bench.run_config import RunConfig
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.run_openvino import load
session = load(Path(sys.argv[1]), LoadOptions(RunConfig(threads=int(sys.argv[2]), provider="CPU")))
request = session._request
side = request.get_input_tensor(0).shape[-1]
request.get_input_tensor(0).data[:] = np.random.default_rng(0).random((1, 3, side, side), dtype=np.float32)
times = []
for _ in range(int(sys.argv[3])):
    begin = time.perf_counter_ns()
    request.infer()
    times.append(time.perf_counter_ns() - begin)
print(sorted(times[len(times) // 4:])[len(times) * 3 // 8] / 1e6)
"""


def ours(case: Case, pack: Path) -> float:
    """Median milliseconds of a fresh worker, after its warm-up."""
    with CaseWorker(case, SAMPLING.hang_limit_s) as worker:
        worker.start(str(pack), 0, 0, SAMPLING)
        return median(worker.infer(COUNT, Stage.TIMING).ns) / 1e6


def loop(code: str, case: Case) -> float:
    """Median milliseconds of a bare loop in a fresh process pinned to the same CPUs."""
    command = [sys.executable, "-c", code, str(case.entry), str(case.config.threads), str(COUNT * 4 // 3)]
    return float(pinned(command, case).stdout)


def benchmark_app(case: Case) -> float:
    """Median milliseconds by OpenVINO's own tool."""
    tool = Path(sys.executable).with_name("benchmark_app")
    command = [str(tool), "-m", str(case.entry), "-d", "CPU", "-api", "sync", "-hint", "none"]
    command += ["-nthreads", str(case.config.threads), "-nstreams", "1", "-niter", str(COUNT)]
    # By default it computes in bfloat16 where the CPU can, and takes uint8 images: other work than ours.
    done = pinned([*command, "-infer_precision", "f32", "-ip", "f32"], case)
    found = re.search(r"Median:\s+([\d.]+) (ms|us)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1]) / (1000 if found[2] == "us" else 1)


def pinned(command: list[str], case: Case) -> subprocess.CompletedProcess[str]:
    """Run a command on a case's CPUs."""
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, case.cpus or ()),
    )


def main() -> None:
    """Take turns and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    bundle = read_bundle(asked.bundle)
    formats = ("openvino", *LOOPS)
    names = [
        each.variant
        for each in bundle.manifest.artifacts
        if each.format in formats and each.precision != "fp16"
    ]
    laptop = load_profile("laptop-cpu")
    terms, cpus = terms_of(laptop, read_host()), cpus_for(asked.threads)
    images, options = planned_evaluation(bundle, bundle.pack()), RunOptions(threads=asked.threads)
    cases = cases_of(bundle, bundle.select(names), laptop, terms, options, cpus, images)
    for case in cases:
        others: dict[str, Callable[[], float]] = {
            "benchmark_app": partial(benchmark_app, case),
            "ours without the copy in": partial(loop, WITHOUT_COPY, case),
        }
        if case.format in LOOPS:
            others = {"a bare loop": partial(loop, LOOPS[case.format], case)}
        pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in others}
        for _ in range(asked.repetitions):
            for name, theirs in others.items():
                pairs[name].append((ours(case, images.pack), theirs()))
        for name, found in pairs.items():
            ratios = [mine / other for mine, other in found]
            mine, other = (median(values) for values in zip(*found, strict=True))
            print(
                f"{case.variant}, {case.config.threads} threads: ours {mine:.2f} ms, {name} {other:.2f} ms, "
                f"ours ÷ theirs {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
