"""What the harness itself costs: `python tests/benchmarks/harness_cost.py BUNDLE`.

Prints the null runtime's median call, and the CPU time of the parent for 10 s of taking turns.
"""

import resource
import sys
import time
from pathlib import Path

from bench.bundle.manifest import read_bundle
from bench.harness.interleaving import InterleavedRunner
from bench.run.benchmark import benchmark
from bench.run.request import BenchmarkRequest
from device_profiles.loading import load_profile
from edgefit.progress import progress


def cpu_s() -> float:
    """CPU time of this process alone, its children not counted."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure a bundle once, with the accounts of this process read around the turns."""
    spent = {"cpu": 0.0, "wall": 0.0}
    time_repetition = InterleavedRunner._time_repetition

    def watched(self: InterleavedRunner, *arguments: object) -> None:
        cpu, wall = cpu_s(), time.monotonic()
        time_repetition(self, *arguments)  # type: ignore[arg-type]
        spent["cpu"] += cpu_s() - cpu
        spent["wall"] += time.monotonic() - wall

    InterleavedRunner._time_repetition = watched  # type: ignore[method-assign,assignment]
    bundle = read_bundle(Path(sys.argv[1]))
    with progress() as watcher:
        report = benchmark(
            bundle, load_profile("laptop-cpu"), BenchmarkRequest(tool="0", created="now"), watcher
        )
    null = next(run for run in report.runs if run.variant == "null")
    assert null.summary is not None
    latency = null.summary.latency
    print(f"null runtime: median {latency.p50_ns / 1000:.2f} µs a call ({latency.samples} samples)")
    print(
        f"parent: {spent['cpu'] / spent['wall'] * 10:.3f} s of CPU time for 10 s of measuring "
        f"({spent['cpu']:.2f} s in {spent['wall']:.0f} s)"
    )


if __name__ == "__main__":
    main()
