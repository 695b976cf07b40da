"""How often the gate is right: `python tests/benchmarks/gate.py BUNDLE AGAIN FOLDER`, alone on the machine.

AGAIN is a bundle that was exported again from the same run. The bundle is checked against it, against copies
that are 10 and 5 % slower by extra convolutions (their ratio is measured first, which takes a minute), and
the other way round; with `--background-load` while a busy loop runs on one of the cores. Files that are equal
byte for byte are measured as all others are. Every run is kept in FOLDER/runs.jsonl, so that what was cut off
goes on with the same command. Printed are how many runs blocked, and how many a naive gate would have blocked
on the same samples: the candidate's median of one run ÷ the baseline's of the run before, above 1.05.
"""

import argparse
import json
import math
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from making.busy_core import background_load
from making.changed_bundle import changed, slowed

from bench.bundle.manifest import read_bundle
from bench.gate.check_bundles import check_bundles, planned
from bench.gate.document import Checked
from bench.gate.options import CheckOptions, Limits
from bench.gate.paired_runs import log_ratios, p50_ns
from bench.harness.paired_blocks import PairedRepetition, PairedRunner
from device_profiles.loading import load_profile
from edgefit.progress import progress

VARIANTS = ("onnx-int8", "onnx-fp32")
NAIVE_LIMIT = 1.05
# A first guess from which the number of convolutions that slows by so much is found.
PROBES = (4, 24)
# Processes of each side from which a probe's ratio is found, and the longest time of one.
PROCESSES, LIMIT_S = 5, 2.5


@dataclass(frozen=True)
class Task:
    """What is checked against what, how often, and how long a run may take."""

    name: str
    candidate: str
    baseline: str
    runs: int
    only: tuple[str, ...] = VARIANTS
    max_slowdown: float = 0.05


TASKS = (
    Task("exported again", "again", "plain", 60),
    Task("10 % slower", "slower-10", "plain", 20),
    Task("5 % slower, limit 2 %", "slower-5", "plain", 20, max_slowdown=0.02),
    Task("10 % faster", "plain", "slower-11", 20),
    Task("exported again, all variants", "again", "plain", 10, only=()),
)
WANTED = {"slower-5": 1.05, "slower-10": 1.10, "slower-11": 1 / 0.9}


def check(candidate: Path, baseline: Path, options: CheckOptions) -> Checked:
    """Run the gate as `edgefit check` does."""
    with progress() as watcher:
        return check_bundles(
            read_bundle(candidate),
            read_bundle(baseline),
            load_profile("laptop-cpu"),
            options,
            watcher,
            "0",
            "now",
        )


def prepare(bundle: Path, folder: Path) -> None:
    """Make the slower bundles, each variant by as many convolutions as it takes.

    Their ratios follow from those of two probes, because a convolution more always costs the same. Many
    convolutions are measured with a smaller relative error than few.
    """
    if (folder / "truth.json").exists():
        return
    few, many = PROBES
    probes = [slower(bundle, folder / f"probe-{count}", dict.fromkeys(VARIANTS, count)) for count in PROBES]
    ratios_of_probes = [paired_ratios(bundle, probe) for probe in probes]
    probed = {variant: [ratios[variant] for ratios in ratios_of_probes] for variant in VARIANTS}
    truth = {}
    for name, wanted in WANTED.items():
        counts, ratios = {}, {}
        for variant, (low, high) in probed.items():
            each = (high - low) / (many - few)
            counts[variant] = max(1, round(few + (wanted - low) / each))
            ratios[variant] = round(low + (counts[variant] - few) * each, 4)
        slower(bundle, folder / name, counts)
        truth[name] = {"convolutions": counts, "ratio": ratios}
        print(f"{name}: {counts} more convolutions, ratio {ratios}")
    (folder / "truth.json").write_text(json.dumps(truth))


def paired_ratios(baseline: Path, candidate: Path) -> dict[str, float]:
    """Return the latency of each variant ÷ the baseline's, from paired processes as the gate starts them."""
    options = CheckOptions(only=VARIANTS)
    job = planned(read_bundle(candidate), read_bundle(baseline), load_profile("laptop-cpu"), options)
    runner = PairedRunner(job.plan)
    logs: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(PROCESSES):
        for pair in job.pairs():
            timed = runner.run_repetition(pair, number, LIMIT_S)
            if isinstance(timed, PairedRepetition):
                logs[pair.id] += log_ratios([timed])
    return {case: math.exp(median(values)) for case, values in logs.items()}


def slower(bundle: Path, target: Path, counts: dict[str, int]) -> Path:
    """Copy the bundle with so many convolutions more in each variant."""
    return changed(bundle, target, {variant: slowed(count) for variant, count in counts.items()})


def run(task: Task, places: dict[str, Path], folder: Path, is_loaded: bool) -> dict[str, object]:
    """Check once, and keep what the tables need."""
    limits = Limits(max_slowdown=task.max_slowdown)
    begin = time.monotonic()
    checked = check(
        places.get(task.candidate, folder / task.candidate),
        places.get(task.baseline, folder / task.baseline),
        CheckOptions(only=task.only, limits=limits),
    )
    return {
        "task": task.name,
        "background_load": is_loaded,
        "seconds": time.monotonic() - begin,
        "exit_code": checked.exit_code,
        "findings": [
            (one.variant, one.quantity.value, one.verdict.value, one.ratio, one.interval)
            for one in checked.findings
        ],
        "processes": Counter(repetition.case for repetition in checked.raw),
        "p50": {case: p50_of(checked, case) for case in {repetition.case for repetition in checked.raw}},
    }


def p50_of(checked: Checked, case: str) -> list[float]:
    """The median of all samples of the baseline's side, and that of the candidate's."""
    timed = [repetition for repetition in checked.raw if repetition.case == case]
    return [p50_ns(one.baseline for one in timed), p50_ns(one.candidate for one in timed)]


def table(rows: Sequence[dict[str, Any]]) -> None:
    """Print what there is so far."""
    for is_loaded in (False, True):
        for task in TASKS:
            these = [row for row in rows if row["task"] == task.name and row["background_load"] is is_loaded]
            if these:
                print(f"{task.name:24} {'load' if is_loaded else 'idle':5} {line(these)}")


def line(rows: Sequence[dict[str, Any]]) -> str:
    """One line of the table."""
    found = [finding for row in rows for finding in row["findings"] if finding[1] == "latency"]
    counts = {word: sum(one[2] == word for one in found) for word in ("SAME", "BETTER", "WORSE", "UNDECIDED")}
    blocked = sum(row["exit_code"] == 10 for row in rows)
    slow = sum(any(one[1] == "latency" and one[2] == "WORSE" for one in row["findings"]) for row in rows)
    seconds = [row["seconds"] for row in rows]
    pairs = list(pairwise(rows))
    naive = [
        after["p50"][variant][1] / before["p50"][variant][0]
        for before, after in pairs
        for variant in before["p50"]
        if variant in after["p50"]
    ]
    naive_blocked = sum(
        any(
            after["p50"][v][1] / before["p50"][v][0] > NAIVE_LIMIT for v in before["p50"] if v in after["p50"]
        )
        for before, after in pairs
    )
    by_format = Counter(one[0].split("-")[0] for one in found if one[2] == "SAME")
    same = ", ".join(f"{name} {count}" for name, count in sorted(by_format.items()))
    ratios = [one[3] for one in found if one[3] is not None] or [math.nan]
    spread = float(np.std(np.log(ratios))) if len(ratios) > 1 else 0.0
    apart = (
        f"naive {naive_blocked} of {len(pairs)} (ratios {min(naive):.2f} to {max(naive):.2f})"
        if naive
        else ""
    )
    return (
        f"{blocked} of {len(rows)} block, {slow} by latency; {apart}; latencies "
        + ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        + (f" (SAME: {same})" if same else "")
        + f"; ratios {min(ratios):.3f} to {max(ratios):.3f}, σ {spread:.1%}"
        + f"; {median(seconds):.0f} s, at most {max(seconds):.0f}"
    )


def main() -> None:
    """Run what is left to run, and print the table after each run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("again", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--background-load", action="store_true", help="keep one of the cores busy")
    parser.add_argument("--task", help="only the task of this name")
    parser.add_argument("--runs", type=int, help="at most so many of each task")
    parser.add_argument("--table", action="store_true", help="print what there is, and run nothing")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no busy loop is left behind
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kept = arguments.folder / "runs.jsonl"
    kept.touch()
    places = {"plain": arguments.bundle, "again": arguments.again}
    if not arguments.table:
        prepare(arguments.bundle, arguments.folder)
        with background_load(arguments.background_load):
            for task in TASKS:
                if arguments.task not in (None, task.name):
                    continue
                done = sum(
                    row["task"] == task.name and row["background_load"] is arguments.background_load
                    for row in read(kept)
                )
                for _ in range(min(task.runs, arguments.runs or task.runs) - done):
                    row = run(task, places, arguments.folder, arguments.background_load)
                    with kept.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(json.dumps(row["findings"]), flush=True)
    table(read(kept))


def read(kept: Path) -> list[dict[str, Any]]:
    """Every run so far."""
    return [json.loads(text) for text in kept.read_text().splitlines()]


if __name__ == "__main__":
    main()
