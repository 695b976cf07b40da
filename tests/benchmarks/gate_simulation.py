"""How often the gate errs, simulated: `python tests/benchmarks/gate_simulation.py [--runs N] [--seed S]`.

Each simulated check draws the processes of its variants from recorded ones (`recorded_noise/*.json`, made
by `gate_noise.py`): the logarithms of candidate ÷ baseline of equal bundles, centred, each with a random
sign. A slower candidate has its slowdown added. The rules, the order of the pairs and their seconds are those
of the gate. Printed: the share of checks with a WORSE time, and the verdicts on latencies.
"""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.gate.findings import Verdict
from bench.gate.multiplicity import MOST_PROCESSES, PAIRED
from bench.gate.options import DEFAULT_SECONDS, Limits
from bench.gate.timing_rules import TimeRatio, TimeVerdict, judge_times, with_shared_variances
from bench.statistics.replication import FEWEST_PROCESSES, trimmed_estimate

RECORDED = Path(__file__).parent / "recorded_noise"
TWO = ("onnx-int8", "onnx-fp32")


@dataclass(frozen=True)
class Scenario:
    """Checks of one kind."""

    name: str
    variants: tuple[str, ...] = ()
    slowdown: float = 0.0
    limit: float = 0.05


SCENARIOS = (
    Scenario("2 variants, equal", TWO),
    Scenario("2 variants, 10 % slower", TWO, slowdown=0.10),
    Scenario("2 variants, 5 % slower, limit 2 %", TWO, slowdown=0.05, limit=0.02),
    Scenario("all variants, equal"),
    Scenario("all variants, 5 % slower", slowdown=0.05),
    Scenario("all variants, 10 % slower", slowdown=0.10),
)


@dataclass(frozen=True)
class Noise:
    """What was recorded of a variant: logarithms of ratios around their median, and a process's seconds."""

    latency: tuple[float, ...]
    load: tuple[float, ...]
    seconds: float

    @classmethod
    def read(cls, path: Path) -> "dict[str, Noise]":
        """Read a file of `gate_noise.py`."""
        recorded = json.loads(path.read_text())["noise"]
        return {
            name: cls(_centred(each["latency"]), _centred(each["load"]), each["seconds"])
            for name, each in recorded.items()
        }


def _centred(logs: Sequence[float]) -> tuple[float, ...]:
    centre = median(logs)
    return tuple(log - centre for log in logs)


@dataclass
class Simulated:
    """A pair of a simulated check."""

    noise: Noise
    slowdown: float
    latencies: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    spent_s: float = 0.0

    def run(self, random: np.random.Generator) -> None:
        """Draw a process of each side."""
        drawn, sign = random.integers(len(self.noise.latency)), random.choice((-1, 1))
        self.latencies.append(sign * self.noise.latency[drawn] + math.log1p(self.slowdown))
        self.loads.append(sign * self.noise.load[drawn])
        self.spent_s += self.noise.seconds


def check(noise: dict[str, Noise], scenario: Scenario, seed: int) -> tuple[list[Verdict], bool, float]:
    """Simulate a check: the verdicts on latencies, whether a time is WORSE, and the seconds."""
    random = np.random.default_rng(seed)
    names = scenario.variants or tuple(noise)
    pairs = [Simulated(noise[name], scenario.slowdown) for name in names]
    limits = Limits(max_slowdown=scenario.limit)
    elapsed_s, waiting = 0.0, list(pairs)
    while waiting:
        pair = min(waiting, key=lambda pair: pair.spent_s)
        pair.run(random)
        elapsed_s += pair.noise.seconds
        is_late = elapsed_s >= DEFAULT_SECONDS * len(pairs)
        few = [pair for pair in pairs if len(pair.latencies) < FEWEST_PROCESSES]
        if few:  # no check ends before all have an estimate, and no verdict can change the order before
            waiting = few if is_late else pairs
            continue
        latencies, loads = judged(pairs, limits)
        waiting = [
            pair
            for pair, latency, load in zip(pairs, latencies, loads, strict=True)
            if len(pair.latencies) < MOST_PROCESSES and _is_open(pair, latency, load, limits, is_late)
        ]
    latencies, loads = judged(pairs, limits)
    is_worse = any(one.verdict is Verdict.WORSE for one in (*latencies, *loads))
    return [one.verdict for one in latencies], is_worse, elapsed_s


def judged(pairs: Sequence[Simulated], limits: Limits) -> tuple[list[TimeVerdict], list[TimeVerdict]]:
    """Judge all latencies and load times as the gate does."""
    latencies = _ratios([pair.latencies for pair in pairs], limits.max_slowdown)
    loads = _ratios([pair.loads for pair in pairs], limits.max_load_slowdown)
    verdicts = judge_times([*latencies, *loads], PAIRED)
    return verdicts[: len(pairs)], verdicts[len(pairs) :]


def _ratios(logs: Sequence[list[float]], limit: float) -> list[TimeRatio]:
    estimates = [trimmed_estimate(each) for each in logs]
    return with_shared_variances(
        [TimeRatio(one, len(each), limit) for one, each in zip(estimates, logs, strict=True) if one]
    )


def _is_open(pair: Simulated, latency: TimeVerdict, load: TimeVerdict, limits: Limits, is_late: bool) -> bool:
    """Tell whether a pair gets another process: see bench/gate/side_by_side.py and paired_runs.py."""
    times = ((latency, limits.max_slowdown), (load, limits.max_load_slowdown))
    slow = [one for one, limit in times if one.verdict is Verdict.UNDECIDED and one.ratio > 1 + limit]
    if is_late:
        return pair.spent_s < 3 * DEFAULT_SECONDS and any(one.interval.low > 1 for one in slow)
    return latency.verdict is Verdict.UNDECIDED or bool(slow)


def line(noise: dict[str, Noise], scenario: Scenario, seeds: Sequence[int]) -> str:
    """Simulate, and return one line of the table."""
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(partial(check, noise, scenario), seeds, chunksize=50))
    names = scenario.variants or tuple(noise)
    verdicts = Counter(verdict for latencies, _, _ in found for verdict in latencies)
    caught = sum(Verdict.WORSE in latencies for latencies, _, _ in found)
    worse, seconds = sum(is_worse for _, is_worse, _ in found), [spent for _, _, spent in found]
    by_format = " ".join(
        f"{name} {sum(latencies[place] is Verdict.SAME for latencies, _, _ in found) / len(found):.0%}"
        for place, name in enumerate(names)
    )
    shares = ", ".join(
        f"{count / len(found) / len(names):.1%} {each.value}" for each, count in verdicts.items()
    )
    return (
        f"{worse} of {len(found)} checks WORSE ({worse / len(found):.2%}), {caught} by latency; latencies "
        f"{shares}; {median(seconds):.0f} s, 95th percentile {np.percentile(seconds, 95):.0f}\n"
        f"    SAME: {by_format}"
    )


def main() -> None:
    """Print a line for each recording and scenario."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recorded", type=Path, nargs="*", default=sorted(RECORDED.glob("*.json")))
    arguments = parser.parse_args()
    seeds = range(arguments.seed * 10**6, arguments.seed * 10**6 + arguments.runs)
    for path in arguments.recorded:
        noise = Noise.read(path)
        print(path.stem)
        for scenario in SCENARIOS:
            print(f"  {scenario.name}: {line(noise, scenario, seeds)}", flush=True)


if __name__ == "__main__":
    main()
