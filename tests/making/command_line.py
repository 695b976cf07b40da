"""The command line as a user runs it: a process of its own; or in this one, where that tells nothing more."""

import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from edgefit.command_line import run

EDGEFIT = [sys.executable, "-m", "edgefit"]
# For a measurement whose figures are of no interest.
SHORT = Path(__file__).with_name("short.yaml")
SHORTLY = ("--quick", "--profile", str(SHORT))


def edgefit(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run edgefit and return what it said."""
    command = [*EDGEFIT, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def edgefit_here(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run edgefit in this process, whose libraries are there already, and return what it said."""
    command, out, errors = list(map(str, words)), StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        code = run(command)
    return subprocess.CompletedProcess(command, code, out.getvalue(), errors.getvalue())
