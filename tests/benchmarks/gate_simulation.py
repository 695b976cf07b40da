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

from bench.gate.findings import Quantity, Verdict
from bench.gate.judging_times import Times, judge_all_times, open_cases
from bench.gate.multiplicity import PAIRED
from bench.gate.next_pair import FUTILITY_FACTOR, next_pair
from bench.gate.options import DEFAULT_SECONDS, Limits
from bench.gate.timing_rules import TimeVerdict
from bench.statistics.replication import trimmed_estimate

RECORDED = Path(__file__).parent / "recorded_noise"
TWO = ("onnx-int8", "onnx-fp32")


@dataclass(frozen=True)
class Scenario:
    """Checks of one kind."""

    name: str
    variants: tuple[str, ...] = ()
    slowdown: float = 0.0
    limit: float = 0.05
    slower: tuple[str, ...] = ()
    """The variants that are slower; empty for all of the scenario."""


SCENARIOS = (
    Scenario("2 variants, equal", TWO),
    Scenario("2 variants, 10 % slower", TWO, slowdown=0.10),
    Scenario("2 variants, 5 % slower, limit 2 %", TWO, slowdown=0.05, limit=0.02),
    Scenario("all variants, equal"),
    Scenario("all variants, onnx-int8 is 10 % slower", slowdown=0.10, slower=("onnx-int8",)),
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

    id: str
    noise: Noise
    slowdown: float
    runs: bool = True
    seconds_spent: float = 0.0
    logs: dict[Quantity, list[float]] = field(
        default_factory=lambda: {Quantity.LATENCY: [], Quantity.LOAD_TIME: []}
    )

    @property
    def processes(self) -> int:
        """How many processes of each side were drawn."""
        return len(self.logs[Quantity.LATENCY])

    @property
    def is_scattered(self) -> bool:
        """Whether their ratios differ too much (see bench/gate/next_pair.py)."""
        logs = self.logs[Quantity.LATENCY]
        return bool(logs) and max(logs) - min(logs) > math.log(FUTILITY_FACTOR)

    def run(self, random: np.random.Generator) -> None:
        """Draw a process of each side."""
        drawn, sign = random.integers(len(self.noise.latency)), random.choice((-1, 1))
        self.logs[Quantity.LATENCY].append(sign * self.noise.latency[drawn] + math.log1p(self.slowdown))
        self.logs[Quantity.LOAD_TIME].append(sign * self.noise.load[drawn])
        self.seconds_spent += self.noise.seconds

    def times(self) -> dict[tuple[str, Quantity], Times]:
        """Return what the gate judges."""
        estimates = {quantity: trimmed_estimate(logs) for quantity, logs in self.logs.items()}
        return {
            (self.id, quantity): Times(1.0, 1.0, estimate, self.processes)
            for quantity, estimate in estimates.items()
            if estimate is not None
        }


def check(noise: dict[str, Noise], scenario: Scenario, seed: int) -> tuple[list[Verdict], bool, float]:
    """Simulate a check: the verdicts on latencies, whether a time is WORSE, and the seconds."""
    random = np.random.default_rng(seed)
    slower = scenario.slower or scenario.variants or tuple(noise)
    pairs = [
        Simulated(name, noise[name], scenario.slowdown if name in slower else 0.0)
        for name in scenario.variants or tuple(noise)
    ]
    limits = Limits(max_slowdown=scenario.limit)
    still: dict[str, bool] = {}
    elapsed_s = 0.0
    times: dict[tuple[str, Quantity], Times] = {}
    verdicts: dict[tuple[str, Quantity], TimeVerdict] = {}
    while (pair := next_pair(pairs, still, elapsed_s, DEFAULT_SECONDS)) is not None:
        pair.run(random)
        elapsed_s += pair.noise.seconds
        times |= pair.times()
        verdicts = judge_all_times(times, limits, PAIRED)
        still = open_cases(verdicts, limits)
    latencies = [verdicts.get((pair.id, Quantity.LATENCY)) for pair in pairs]
    known = [Verdict.UNDECIDED if one is None else one.verdict for one in latencies]
    return known, any(one.verdict is Verdict.WORSE for one in verdicts.values()), elapsed_s


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
    if not arguments.recorded:
        sys.exit(f"{RECORDED} has no recording; make one with gate_noise.py")
    seeds = range(arguments.seed * 10**6, arguments.seed * 10**6 + arguments.runs)
    for path in arguments.recorded:
        noise = Noise.read(path)
        print(path.stem)
        for scenario in SCENARIOS:
            print(f"  {scenario.name}: {line(noise, scenario, seeds)}", flush=True)


if __name__ == "__main__":
    main()
