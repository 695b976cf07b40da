"""How long commands take that measure nothing, and how large the page is that edgefit report writes.

Each command is started turn by turn, here and in an older checkout that has a `.venv`. Printed are the
medians of CPU time (of the process and those that it started) and of time on the clock, and the median of
new ÷ old.
The reports are made up: three devices, each with three formats in three precisions.

    python tests/benchmarks/command_speed.py --before ../older
    python tests/benchmarks/command_speed.py --turns 5 --only help,page
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_HERE = Path(__file__).resolve()
# The modules that make reports lie here.
_TESTS = _HERE.parents[1]
_CLASSES = 9
# The reports are the same in every version but for its own format of reports.
_WRITING = f"""
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from making.devices import full_reports
from bench.report.files import write_report

for number, report in enumerate(full_reports({_CLASSES})):
    write_report(Path(sys.argv[2]) / f"{{number}}.json", report)
"""
# The codes of commands that have a result: done, blocked, no variant in the budget, nothing comparable.
_RESULTS = (0, 10, 11, 12)


@dataclass(frozen=True)
class Taken:
    """What one start of a command took."""

    cpu_s: float
    wall_s: float


def command_lines(reports: list[str], page: Path) -> dict[str, list[str]]:
    """Every command line that is timed, by its name."""
    return {
        "help": ["--help"],
        "version": ["--version"],
        "help-bench": ["bench", "--help"],
        "help-finetune": ["finetune", "--help"],
        "help-profiles": ["profiles", "show", "--help"],
        "profiles": ["profiles", "list"],
        "doctor": ["doctor"],
        "report": ["report", *reports],
        "markdown": ["report", *reports, "--markdown", str(page.with_suffix(".md"))],
        "page": ["report", *reports, "--html", str(page)],
        "choose": ["choose", *reports],
        "check": ["check", reports[0], "--baseline", reports[0]],
    }


def write_reports(checkout: Path, folder: Path) -> list[str]:
    """Have a checkout write the report of each device, as its own version does; return their paths."""
    folder.mkdir()
    command = [str(checkout / ".venv" / "bin" / "python"), "-c", _WRITING, str(_TESTS), str(folder)]
    # Python looks for modules in the folder that it is started in before all others.
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(checkout)}, check=True)
    return [str(path) for path in sorted(folder.iterdir())]


def take(checkout: Path, line: list[str], folder: Path) -> Taken:
    """Start one command of a checkout, and wait for its end."""
    # As after an installation: modules are compiled once.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled" / checkout.name)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(checkout / ".venv" / "bin" / "edgefit"), *line]
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in _RESULTS:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}: {done.stderr}")
    wall_s, after = time.perf_counter() - begun, os.times()
    cpu_s = sum(after[2:4]) - sum(before[2:4])
    return Taken(cpu_s, wall_s)


def compare(name: str, lines: Mapping[Path, list[str]], turns: int, folder: Path) -> None:
    """Time one command in each checkout, in turns, and print what it took."""
    for checkout, line in lines.items():
        take(checkout, line, folder)  # compiles, and reads the files from the disk
    taken = [[take(checkout, line, folder) for checkout, line in lines.items()] for _ in range(turns)]
    said = [f"{name:14}"]
    for index, _ in enumerate(lines):
        each = [turn[index] for turn in taken]
        cpu_s, wall_s = median(one.cpu_s for one in each), median(one.wall_s for one in each)
        said.append(f"{cpu_s:6.2f} s CPU {wall_s:6.2f} s")
    if len(lines) > 1:
        said.append(f"new ÷ old {median(turn[0].cpu_s / turn[1].cpu_s for turn in taken):.2f}")
    print("   ".join(said), flush=True)


def main() -> None:
    """Time what is asked for, and print the bytes of the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="an older checkout, with a .venv")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--only", help="the names of some commands, with commas between them")
    asked = parser.parse_args()
    checkouts = [_HERE.parents[2], *([] if asked.before is None else [asked.before.resolve()])]
    with tempfile.TemporaryDirectory() as made:
        folder, page = Path(made), Path(made) / "page.html"
        reports = {checkout: write_reports(checkout, folder / checkout.name) for checkout in checkouts}
        lines = {checkout: command_lines(reports[checkout], page) for checkout in checkouts}
        names = list(lines[checkouts[0]]) if asked.only is None else asked.only.split(",")
        print(f"{'command':14}   " + "   ".join(checkout.name for checkout in checkouts))
        for name in names:
            compare(name, {checkout: lines[checkout][name] for checkout in checkouts}, asked.turns, folder)
        if "page" in names:
            for checkout in checkouts:
                take(checkout, lines[checkout]["page"], folder)
                print(f"page of {checkout.name}, {_CLASSES} classes: {page.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
