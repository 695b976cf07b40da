"""What the search for an int8 recipe costs in ExecuTorch, in CPU seconds of the whole process tree.

PYTHONPATH=tests python tests/benchmarks/executorch_search.py RUN [--before FOLDER] [--turns N]

RUN is a run folder; FOLDER is a checkout of another version, whose `.venv` has the same formats. Both
versions export the run's int8 program in turn. Of each export it prints the recipes that were tried, the CPU
seconds of the export, and at the end the ratio of the medians. CPU seconds grow with the load of the machine,
but alike for both.
"""

import argparse
import json
import resource
import subprocess
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]


def cpu_seconds() -> float:
    """Return what the processes that ended have used so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def export(checkout: Path, run: Path) -> float:
    """Export a run's int8 program, and return the CPU seconds of it."""
    began = cpu_seconds()
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        words = ["--formats", "executorch", "--precisions", "int8", "--quiet", "--out", str(bundle)]
        subprocess.run([checkout / ".venv/bin/edgefit", "export", run, *words], check=True, cwd=folder)
        (artifact,) = json.loads((bundle / "manifest.json").read_text())["artifacts"]
    seconds, attempts = cpu_seconds() - began, artifact["search"]["attempts"]
    sqnr = ", ".join(f"{attempt['held_out']['sqnr_db']:.1f} dB" for attempt in attempts)
    print(f"{checkout}: {seconds:.1f} s of CPU for {len(attempts)} recipes ({sqnr})", flush=True)
    return seconds


def main() -> None:
    """Take turns, and print the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    words = parser.parse_args()
    checkouts = [ROOT] if words.before is None else [words.before.resolve(), ROOT]
    taken: dict[Path, list[float]] = {checkout: [] for checkout in checkouts}
    for _ in range(words.turns):
        for checkout in checkouts:
            taken[checkout].append(export(checkout, words.run.resolve()))
    if words.before is not None:
        before, after = (median(taken[checkout]) for checkout in checkouts)
        print(f"before / after: {before / after:.2f}")


if __name__ == "__main__":
    main()
