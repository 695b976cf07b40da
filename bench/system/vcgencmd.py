"""The command vcgencmd of a Raspberry Pi, which asks its firmware. It does not interpret the output."""

import shutil
import subprocess

_LIMIT_S = 5.0


def ask(word: str) -> str | None:
    """Return what `vcgencmd WORD` prints; None if there is no such command, or it fails."""
    if (path := shutil.which("vcgencmd")) is None:
        return None
    try:
        done = subprocess.run(
            [path, word],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
