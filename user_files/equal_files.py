"""Finds files that are equal byte by byte. It reads whole files only where size and first bytes are equal."""

from collections import Counter
from collections.abc import Sequence

from user_files.data_kinds import IMAGE
from user_files.finding import FoundFile
from user_files.hashes import sha256_of


def content_keys(files: Sequence[FoundFile]) -> list[str | None]:
    """Return a key for each file, the same for equal images; None for a file that no other equals.

    Raises OSError if a file cannot be read.
    """
    starts = [(file.size, file.head_digest) for file in files]
    alike = Counter(starts)
    digests = [
        sha256_of(file.path) if alike[start] > 1 and file.kind is IMAGE else None
        for file, start in zip(files, starts, strict=True)
    ]
    equal = Counter(digests)
    return [digest if digest is not None and equal[digest] > 1 else None for digest in digests]
