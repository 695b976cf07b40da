"""Hashes of files, read piece by piece."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from user_files.reading import reading

_AT_ONCE = 1 << 20


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes. Raises OSError if it cannot be read."""
    digest = hashlib.sha256()
    with reading(path) as file:
        while piece := file.read(_AT_ONCE):
            digest.update(piece)
    return digest.hexdigest()


def sha256_of_files(files: Sequence[Path]) -> str:
    """Return the SHA-256 of a file; of several files that of their hashes, one after the other."""
    digests = [sha256_of(file) for file in files]
    return digests[0] if len(digests) == 1 else sha256_of_all(digests)


def sha256_of_all(digests: Iterable[str]) -> str:
    """Return the SHA-256 of hashes, one after the other."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()
