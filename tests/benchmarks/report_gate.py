"""Which limit two reports can be held to: `python tests/benchmarks/report_gate.py BUNDLE FOLDER`.

FOLDER is that of gate.py, which holds a copy of the bundle that is 10 % slower. Both are measured in turn,
as `edgefit bench` does, again and again; every report is kept, so that what was cut off goes on. Then each
report is held against each other one: printed is, for some limits, how often equal bundles would block, and
how often the slower one is caught.
"""

import argparse
from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path

import numpy as np

from bench.bundle.manifest import read_bundle
from bench.gate.check_reports import check_reports
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.options import CheckOptions, Limits
from bench.report.files import read_report, write_report
from bench.report.schema import Report
from bench.run.benchmark import benchmark
from bench.run.request import BenchmarkRequest
from device_profiles.loading import load_profile
from edgefit.progress import progress
from edgefit.values import now

VARIANTS = ("onnx-int8", "onnx-fp32")
LIMITS = (0.05, 0.10, 0.15, 0.20, 0.30)


def measure(bundle: Path, out: Path) -> None:
    """Measure a bundle as a user would, unless its report is there already."""
    if not out.exists():
        request = BenchmarkRequest(only=VARIANTS, tool="0", created=now())
        with progress() as watcher:
            report = benchmark(read_bundle(bundle), load_profile("laptop-cpu"), request, watcher)
        write_report(out, report)


def latencies(candidate: Report, baseline: Report, limit: float) -> Iterator[Finding]:
    """What the gate says of each variant's latency."""
    options = CheckOptions(limits=Limits(max_slowdown=limit))
    found = check_reports(candidate, baseline, options, "0", "now").findings
    return (one for one in found if one.quantity is Quantity.LATENCY)


def blocked(pairs: list[tuple[Report, Report]], limit: float) -> int:
    """How many pairs of candidate and baseline have a latency that is worse."""
    return sum(
        any(one.verdict is Verdict.WORSE for one in latencies(candidate, baseline, limit))
        for candidate, baseline in pairs
    )


def main() -> None:
    """Measure what is left, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    for number in range(arguments.runs):
        measure(arguments.bundle, arguments.folder / f"plain-{number}.json")
        measure(arguments.folder / "slower-10", arguments.folder / f"slow-{number}.json")
    plain, slow = (
        [read_report(arguments.folder / f"{name}-{number}.json") for number in range(arguments.runs)]
        for name in ("plain", "slow")
    )
    same = [*permutations(plain, 2), *permutations(slow, 2)]
    slower = list(product(slow, plain))
    ratios = [one.ratio for pair in same for one in latencies(*pair, 0.1) if one.ratio is not None]
    print(f"ratios of equal bundles: σ {np.std(np.log(ratios)):.1%}, {min(ratios):.2f} to {max(ratios):.2f}")
    for limit in LIMITS:
        print(
            f"limit {limit:.0%}: equal bundles block {blocked(same, limit)} of {len(same)}, "
            f"10 % slower is caught {blocked(slower, limit)} of {len(slower)}"
        )


if __name__ == "__main__":
    main()
