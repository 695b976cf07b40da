"""What it costs to confine a worker: `python tests/benchmarks/sandbox_cost.py BUNDLE`.

For the fp32 artifact of each format, a confined worker and one that nothing confines are alive together,
pinned to one core with one thread, and take turns block by block in random order; then two fresh ones. A
block counts by its fastest inference, to which other work on the core added least. Printed is the confined
one's latency ÷ the other's, and the same for loading, with 95 % intervals over the pairs.
"""

import argparse
import math
import random
import sys
from pathlib import Path

from bench.bundle.evaluation_pack import FILE_NAME
from bench.bundle.manifest import ArtifactRecord, Bundle, read_bundle
from bench.harness import worker_messages
from bench.harness.worker_process import WORKER_COMMAND, WorkerProcess
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.statistics.replication import Ratio, ratio_of_pairs
from bench.system.cpus import cpus_for

_LIMIT_S = 120.0
_SAMPLES = 16
# A worker on a kernel that can confine nothing.
_UNCONFINED = """
import errno
from bench.harness import start
def call(name, *arguments):
    raise OSError(errno.ENOSYS, "left out", name)
start.main(call)
"""
_COMMANDS = (WORKER_COMMAND, (sys.executable, "-c", _UNCONFINED))


def request(bundle: Bundle, artifact: ArtifactRecord) -> worker_messages.Load:
    """What both sides load."""
    row = FORMATS[artifact.format]
    return worker_messages.Load(
        module=row.module,
        entry=str((bundle.folder / artifact.entry).resolve()),
        files=(),
        config=RunConfig(provider=row.provider, threads=1),
        precision=artifact.precision,
        engine=artifact.engine,
        cpus=cpus_for(1),
        inputs=artifact.inputs(bundle.manifest.model.image_size),
        pack=str((bundle.folder / FILE_NAME).resolve()),
    )


def pair(load: worker_messages.Load, blocks: int) -> tuple[list[float], float]:
    """Return the logarithms of confined ÷ unconfined: of each two blocks, and of loading."""
    sides = [WorkerProcess(command) for command in _COMMANDS]
    try:
        for side in sides:
            side.ask(worker_messages.CheckReady(), _LIMIT_S)
        loads = {index: _load_ns(sides[index], load) for index in random.sample((0, 1), 2)}
        logs = []
        for _ in range(blocks):
            level = {index: _block_ns(sides[index]) for index in random.sample((0, 1), 2)}
            logs.append(math.log(level[0] / level[1]))
    finally:
        for side in sides:
            side.stop()
    return logs, math.log(loads[0] / loads[1])


def _load_ns(worker: WorkerProcess, load: worker_messages.Load) -> int:
    loaded = worker.ask(load, _LIMIT_S)
    assert isinstance(loaded, worker_messages.Loaded)
    worker.ask(worker_messages.WarmUp(max_inferences=200, limit_s=5.0), _LIMIT_S)
    return loaded.load_ns


def _block_ns(worker: WorkerProcess) -> int:
    answer = worker.ask(worker_messages.Infer(count=_SAMPLES, settle=2), _LIMIT_S)
    assert isinstance(answer, worker_messages.Inferred)
    return min(answer.ns)


def in_words(ratio: Ratio | None) -> str:
    """A ratio with its interval."""
    assert ratio is not None
    interval = ratio.interval
    return f"{ratio.value:.4f}" + (f" ({interval.low:.4f} to {interval.high:.4f})" if interval else "")


def main() -> None:
    """Take turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--blocks", type=int, default=30)
    parser.add_argument("--formats", nargs="+", default=["torchscript", "onnx", "openvino"])
    asked = parser.parse_args()
    bundle = read_bundle(asked.bundle)
    for artifact in bundle.select([f"{name}-fp32" for name in asked.formats]):
        pairs = [pair(request(bundle, artifact), asked.blocks) for _ in range(asked.pairs)]
        latency = ratio_of_pairs([logs for logs, _ in pairs])
        loading = ratio_of_pairs([[log] for _, log in pairs])
        print(f"{artifact.variant:17} latency {in_words(latency)}, load {in_words(loading)}", flush=True)


if __name__ == "__main__":
    main()
