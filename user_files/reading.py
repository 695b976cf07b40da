"""Files whose errors name them: Python names a file that cannot be opened, and none that cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name `path` in an error of the disk that names no file, as that of a full or failing disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, and name it in every error of the disk."""
    with naming(path), path.open("rb") as file:
        yield file
