"""How steady a ratio of two latencies is: `python tests/benchmarks/turn_taking.py BUNDLE`, on an idle host.

The same bundle is measured again and again, each time in turns (as `edgefit bench` does) and, to compare
with, one case after the other. Printed is how far the ratio spreads over the runs: (p95 − p5) ÷ median.
"""

import argparse
from pathlib import Path
from statistics import median

import numpy as np

from bench.bundle.manifest import Bundle, read_bundle
from bench.devices.terms import terms_of
from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, cases_of, planned_evaluation
from bench.report.schema import Run
from bench.run.benchmark import benchmark
from bench.run.request import BenchmarkRequest
from bench.run_config import RunOptions
from bench.statistics.replication import FEWEST_PROCESSES
from bench.system.cpus import cpus_for
from bench.system.host import read_host
from bench.units import ms
from device_profiles.loading import load_profile
from device_profiles.profile import Profile
from device_profiles.settings import Sampling
from edgefit.progress import progress


def measured(bundle: Bundle, profile: Profile, variants: tuple[str, ...]) -> dict[str, Run]:
    """Measure some variants together, as a user would."""
    with progress() as watcher:
        report = benchmark(bundle, profile, BenchmarkRequest(only=variants, tool="0", created="now"), watcher)
    return {run.variant: run for run in report.runs}


def alone(case: Case, pack: Path, sampling: Sampling) -> float:
    """The median latency in ms of a case that has the machine for itself, in five processes."""
    samples: list[int] = []
    for _ in range(FEWEST_PROCESSES):
        with CaseWorker(case, sampling.hang_limit_s) as worker:
            process = worker.start(str(pack), 0, 0, sampling)
            for _ in range(sampling.blocks):
                samples += worker.run_block(process, sampling, 0, 0).ns
    return median(samples) / 1e6


def p50(run: Run) -> float:
    """The median latency of a row in ms."""
    assert run.summary is not None, run.reason
    return ms(run.summary.latency.p50_ns)


def spread(ratios: list[float]) -> str:
    """p95 − p5 ÷ median, and the median."""
    low, high = np.percentile(ratios, [5, 95])
    return (
        f"spread {(high - low) / median(ratios):6.1%}, median ratio {median(ratios):.3f}, {len(ratios)} runs"
    )


def main() -> None:
    """Measure and print, after every run what there is so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--runs-alone", type=int, default=20, help="of those, how many also one by one")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pair", nargs=2, default=["onnx-int8", "onnx-fp32"])
    asked = parser.parse_args()
    bundle, (one, other) = read_bundle(asked.bundle), asked.pair
    for threads in asked.threads:
        profile = load_profile("laptop-cpu").model_copy(update={"threads": threads})
        images = planned_evaluation(bundle, bundle.pack())
        terms = terms_of(profile, read_host())
        options = RunOptions(threads=threads)
        cpus = cpus_for(threads)
        cases = cases_of(bundle, bundle.select((one, other)), profile, terms, options, cpus, images)
        by_name = {case.variant: case for case in cases}
        paired: list[float] = []
        medians: list[float] = []
        one_by_one: list[float] = []
        for number in range(1, asked.runs + 1):
            together = measured(bundle, profile, (one, other))
            paired.append(relative_to_fp32(together[one]))
            medians.append(p50(together[one]) / p50(together[other]))
            said = f"threads {threads}, run {number}: {paired[-1]:.3f} {medians[-1]:.3f}"
            said += f" while {other} took {p50(together[other]):.2f} ms"
            if number <= asked.runs_alone:
                first, second = (alone(by_name[name], images.pack, profile.sampling) for name in (one, other))
                one_by_one.append(first / second)
                said += f"; one after another {one_by_one[-1]:.3f}"
            print(said, flush=True)
        print(f"\n{one} ÷ {other}, {threads} threads")
        print(f"  in turns, paired turn by turn     {spread(paired)}")
        print(f"  in turns, median ÷ median         {spread(medians)}")
        if one_by_one:
            print(f"  one after another                 {spread(one_by_one)}")


if __name__ == "__main__":
    main()


def relative_to_fp32(run: Run) -> float:
    """A row's latency ÷ that of its format in fp32."""
    relative = None if run.summary is None else run.summary.relative_to_fp32
    return float("nan") if relative is None else relative.ratio
