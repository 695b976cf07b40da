"""The command line as a user runs it: a process of its own."""

import subprocess
import sys
from pathlib import Path

EDGEFIT = [sys.executable, "-m", "edgefit"]
# For a measurement whose figures are of no interest.
SHORT = Path(__file__).with_name("short.yaml")
SHORTLY = ("--quick", "--profile", str(SHORT))


def edgefit(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run edgefit and return what it said."""
    command = [*EDGEFIT, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
