"""Whether a folder takes files, asked by writing one: permissions and free bytes alone do not tell."""

import tempfile
from pathlib import Path

_LEAST_BYTES = 1 << 12


def try_to_write(folder: Path, size: int = _LEAST_BYTES) -> None:
    """Write to a file that has no name; raises OSError if that cannot be done."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        left = memoryview(bytes(size))
        while left:
            left = left[file.write(left) :]
