"""How long a bench takes, this version beside the one before, turn by turn:

    python tests/benchmarks/bench_speed.py BUNDLE --before FOLDER [--only a,b] [--turns N] [--seconds S]
    python tests/benchmarks/bench_speed.py BUNDLE --before FOLDER --bundle-before BUNDLE

FOLDER is another checkout, with a .venv of its own; a version that cannot read the bundle is given one of its
own, of the same network. Each run has a cache of its own, so that all predictions
are computed. Printed are the seconds by the clock and of processor time of each run, what of them the timed
processes spent on imports, loading, warm-up and samples, how many processes each variant got, and the widest
interval; then the ratios of this version ÷ the one before.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measurements import ProcessTiming
from bench.report.files import read_report
from bench.report.schema import Report
from bench.statistics.processes import interval_of_median
from bench.units import NS_PER_S

HERE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Spent:
    """One run of the command."""

    wall_s: float
    processor_s: float
    parts: Counter[str]
    """Nanoseconds of the timed processes, by what they did."""
    processes: Counter[int]
    """How many variants had so many processes."""
    ended: Counter[str]
    """How many variants ended for which reason."""
    widest: float | None
    """The half width of the widest interval, as a share of the median; None if one has no interval."""

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {ns / NS_PER_S:.0f} s" for name, ns in self.parts.items())
        interval = "no interval" if self.widest is None else f"±{self.widest:.1%}"
        return (
            f"{self.wall_s:.1f} s by the clock, {self.processor_s:.1f} s of processor time; timed: {parts}; "
            f"variants by processes {dict(self.processes)}, by end {dict(self.ended)}; widest {interval}"
        )


def run(checkout: Path, bundle: Path, options: list[str]) -> Spent:
    """Measure a bundle with the command of a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = [str(checkout / ".venv/bin/edgefit"), "bench", str(bundle), "--quiet", "--out", str(out)]
        begin = time.monotonic()
        process = subprocess.Popen(
            [*command, *options], env={**os.environ, "EDGEFIT_CACHE": f"{folder}/cache"}
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if not out.exists():
            sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}")
        return _spent(read_report(out), wall_s, usage.ru_utime + usage.ru_stime)


def _spent(report: Report, wall_s: float, processor_s: float) -> Spent:
    rows = [run for run in report.runs if run.completed is not None]
    measured = [row.completed for row in rows if row.is_variant and row.completed is not None]
    intervals = [interval_of_median(outcome.processes) for outcome in measured]
    widths = [None if interval is None else interval.half_width for interval in intervals]
    known = [width for width in widths if width is not None]
    return Spent(
        wall_s,
        processor_s,
        _parts([timed for row in rows if row.completed is not None for timed in row.completed.processes]),
        Counter(len(outcome.processes) for outcome in measured),
        Counter(outcome.ended.value for outcome in measured),
        max(known) if known and len(known) == len(widths) else None,
    )


def _parts(timed: Sequence[ProcessTiming]) -> Counter[str]:
    parts: Counter[str] = Counter()
    for process in timed:
        parts["import"] += process.import_ns
        parts["load"] += process.load_ns + process.first_inference_ns
        parts["warm-up"] += sum(process.warm_up_ns)
        parts["samples"] += sum(sum(block.ns) for block in process.blocks)
    return parts


def main() -> None:
    """Run both in turn, and print each run and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--bundle-before", type=Path, help="what the version before measures instead")
    parser.add_argument("--only")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", help="for this version alone: the one before may not have the option")
    arguments = parser.parse_args()
    only = [] if arguments.only is None else ["--only", arguments.only]
    seconds = [] if arguments.seconds is None else ["--seconds", arguments.seconds]
    sides = {"now": (HERE, arguments.bundle.resolve(), [*only, *seconds])}
    if arguments.before is not None:
        bundle = arguments.bundle if arguments.bundle_before is None else arguments.bundle_before
        sides["before"] = (arguments.before.resolve(), bundle.resolve(), only)
    spent: dict[str, list[Spent]] = {side: [] for side in sides}
    for turn in range(arguments.turns):
        for side in sorted(sides, reverse=bool(turn % 2)):
            spent[side].append(run(*sides[side]))
            print(f"{side:>6}: {spent[side][-1]}", flush=True)
    if "before" in spent:
        pairs = list(zip(spent["now"], spent["before"], strict=True))
        wall = [now.wall_s / before.wall_s for now, before in pairs]
        processor = [now.processor_s / before.processor_s for now, before in pairs]
        for name, ratios in (("by the clock", wall), ("of processor time", processor)):
            print(f"now ÷ before, {name}: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
