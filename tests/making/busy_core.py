"""Background load: a busy loop on the first core."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def background_load(is_requested: bool) -> Iterator[None]:
    """Keep the first core busy, if requested."""
    if not is_requested:
        yield
        return
    command = ["taskset", "-c", "0", sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.kill()
