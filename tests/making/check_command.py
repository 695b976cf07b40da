"""`edgefit check` of two folders, with limits on one variant that no time exceeds."""

import subprocess
from pathlib import Path

from making.command_line import SHORT, edgefit, edgefit_here

ANY_TIME = ("--max-slowdown", "900%", "--max-load-slowdown", "900%", "--max-memory-growth", "900%")
ONE = ("--only", "onnx-fp32", "--seconds", "1", "--profile", str(SHORT), *ANY_TIME)


def check(candidate: Path, baseline: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Check in a process of its own."""
    return edgefit("check", candidate, "--baseline", baseline, *words)


def check_here(candidate: Path, baseline: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Check in this process."""
    return edgefit_here("check", candidate, "--baseline", baseline, *words)
