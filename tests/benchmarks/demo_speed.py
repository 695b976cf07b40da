"""How long each step of `edgefit demo` takes, what it chooses, and the ratio to another checkout.

Runs the demo's commands one by one, and prints the seconds of each and the CPU seconds of all its processes.
With --before, the demos of both checkouts take turns. With --install, `make` first installs into a new
environment what the demo needs there. Nothing is kept.

    python tests/benchmarks/demo_speed.py
    python tests/benchmarks/demo_speed.py --before FOLDER --turns 3 --install
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parents[2]
_INSTALL = "install"
_STEPS = """
import json, sys
from pathlib import Path
from edgefit.commands.demo import steps
print(json.dumps(steps(Path(sys.argv[1]))))
"""


@dataclass(frozen=True)
class Took:
    """What one step took."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Checkout:
    """A folder with edgefit, and with an environment in `.venv`."""

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return self.folder / ".venv" / "bin" / "python"

    def steps(self, out: Path) -> list[list[str]]:
        """The arguments of the demo's commands."""
        command = (self.python, "-c", _STEPS, out)
        found = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)
        steps: list[list[str]] = json.loads(found.stdout)
        return steps

    def install(self, environment: Path) -> list[str]:
        """The command that installs what `make demo` needs."""
        has_own = ".demo-installed" in (self.folder / "Makefile").read_text()
        marker = environment / (".demo-installed" if has_own else ".installed")
        return ["make", "-C", str(self.folder), f"VENV={environment}", str(marker)]


def run(command: Sequence[str | Path], **changes: str) -> Took:
    """Run a command with these variables of the environment. What it prints is shown only if it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=printed, env={**os.environ, **changes})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{printed.read()}")
    return Took(time.monotonic() - began, usage.ru_utime + usage.ru_stime)


def turn(checkout: Checkout, is_installing: bool) -> Iterator[tuple[str, Took | str]]:
    """Run the demo once. Yield each step with what it took, and last what was chosen."""
    with tempfile.TemporaryDirectory() as folder:
        out, cache = Path(folder) / "demo", str(Path(folder) / "cache")
        if is_installing:
            yield _INSTALL, run(checkout.install(Path(folder) / "venv"))
        for arguments in checkout.steps(out):
            yield arguments[0], run([checkout.python, "-m", "edgefit", *arguments], XDG_CACHE_HOME=cache)
        choose = (checkout.python, "-m", "edgefit", "choose", out / "report.json", "--json")
        printed = subprocess.run(choose, check=True, capture_output=True, text=True).stdout
        (choice,) = json.loads(printed)["choices"]
        undecided = sum(row["result"] == "not decided" for row in choice["candidates"])
        yield "chosen", f"{choice['headline']}; not decided against {undecided}"


def show(took: dict[str, dict[str, list[Took]]]) -> None:
    """Print the median of each step for each checkout, and the ratio of the last to the first."""
    names = list(took)
    heads = "".join(f"{name + ', s':>12}{'CPU s':>8}" for name in names)
    print(f"{'':10}{heads}{'ratio':>8}{'of CPU':>8}" if len(names) > 1 else f"{'':10}{heads}")
    steps = [*took[names[0]], "all"]
    for step in steps:
        wall = [median(_values(took[name], step, "seconds")) for name in names]
        cpu = [median(_values(took[name], step, "cpu_seconds")) for name in names]
        line = f"{step:10}" + "".join(f"{a:12.1f}{b:8.1f}" for a, b in zip(wall, cpu, strict=True))
        print(f"{line}{wall[-1] / wall[0]:8.2f}{cpu[-1] / cpu[0]:8.2f}" if len(names) > 1 else line)


def _values(steps: dict[str, list[Took]], step: str, quantity: str) -> list[float]:
    """Return a quantity of a step in each turn; of `all`: the sum of all steps."""
    columns = steps.values() if step == "all" else [steps[step]]
    return [sum(getattr(took, quantity) for took in turns) for turns in zip(*columns, strict=True)]


def main() -> None:
    """Run the demos in turn, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="another checkout, with its .venv")
    parser.add_argument("--turns", type=int, default=1, help="how often each demo runs")
    parser.add_argument("--install", action="store_true", help="install into a new environment as well")
    options = parser.parse_args()
    before = [] if options.before is None else [Checkout("before", options.before.resolve())]
    checkouts = [*before, Checkout("now", HERE)]
    took: dict[str, dict[str, list[Took]]] = {each.name: defaultdict(list) for each in checkouts}
    for number in range(options.turns):
        for checkout in checkouts if number % 2 == 0 else checkouts[::-1]:
            for step, result in turn(checkout, options.install):
                if isinstance(result, Took):
                    took[checkout.name][step].append(result)
                else:
                    print(f"{checkout.name}: {result}", flush=True)
    show(took)


if __name__ == "__main__":
    main()
