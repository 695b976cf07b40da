"""Records how much processes differ: `python tests/benchmarks/gate_noise.py BUNDLE AGAIN OUT.json`.

AGAIN is a bundle that was exported again from the same run. Each variant of both is timed in paired
processes, as the gate does it, with `--background-load` beside a busy loop on the first core. OUT has, for
each variant, the logarithms of candidate ÷ baseline of every process and its seconds; `gate_simulation.py`
draws from them.
"""

import argparse
import json
import math
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median

sys.path.insert(0, str(Path(__file__).parents[1]))

from making.busy_core import background_load

from bench.bundle.manifest import read_bundle
from bench.gate.check_bundles import planned
from bench.gate.options import CheckOptions
from bench.gate.paired_runs import log_ratios
from bench.harness.paired_blocks import PairedRepetition, PairedRunner
from bench.harness.worker_process import compile_runtimes
from bench.system.host import read_host
from device_profiles.loading import load_profile

_LIMIT_S = 2.5


def main() -> None:
    """Record, and write after each round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("again", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=40)
    parser.add_argument("--background-load", action="store_true", help="keep one of the cores busy")
    arguments = parser.parse_args()
    job = planned(
        read_bundle(arguments.again),
        read_bundle(arguments.bundle),
        load_profile("laptop-cpu"),
        CheckOptions(),
    )
    compile_runtimes(case.format for case in job.baseline_cases.values())
    runner, found = PairedRunner(job.plan), defaultdict(list)
    with background_load(arguments.background_load):
        for number in range(arguments.processes):
            for pair in job.pairs():
                begin = time.monotonic()
                timed = runner.run_repetition(pair, number, _LIMIT_S)
                seconds = time.monotonic() - begin
                if isinstance(timed, PairedRepetition):
                    found[pair.id].append((timed, seconds))
            write(arguments, found)
            print(f"{number + 1} of {arguments.processes} processes", flush=True)


def write(arguments: argparse.Namespace, found: dict[str, list[tuple[PairedRepetition, float]]]) -> None:
    """Write what there is so far."""
    noise = {
        case: {
            "latency": [round(log, 5) for log in log_ratios([timed for timed, _ in rows])],
            "load": [
                round(math.log(timed.candidate.load_ns / timed.baseline.load_ns), 5) for timed, _ in rows
            ],
            "seconds": round(median(seconds for _, seconds in rows), 2),
            "p50_ms": round(
                median(fmean(block.ns) for timed, _ in rows for block in timed.baseline.blocks) / 1e6, 3
            ),
        }
        for case, rows in found.items()
    }
    document = {
        "cpu": read_host().cpu,
        "features": list(read_host().cpu_features),
        "background_load": arguments.background_load,
        "noise": noise,
    }
    arguments.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
