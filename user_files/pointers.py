"""Recognises a pointer: a small text that Git LFS, git-annex or DVC leaves in the place of a large file.

It knows bytes alone. Whoever reads a user's file asks it before saying that the file is damaged.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from user_files.reading import reading

HEAD_BYTES = 4096
"""How much of a file is enough to recognise one."""


@dataclass(frozen=True)
class Pointer:
    """A file in the place of another one."""

    what: str
    """In words, after "is"."""
    remedy: str
    """How to get the file itself."""


_POINTERS: tuple[tuple[re.Pattern[bytes], Pointer], ...] = (
    (
        re.compile(rb"version https://git-lfs\.github\.com/spec"),
        Pointer(
            "a Git LFS pointer, not the file itself",
            "install git-lfs, and fetch the file with: git lfs pull",
        ),
    ),
    (
        re.compile(rb"(\.git|/)?/?annex/objects/"),
        Pointer("a git-annex pointer, not the file itself", "fetch the file with: git annex get FILE"),
    ),
    (
        re.compile(rb"(\w+:.*\n)*outs:\r?\n- (md5|hash|etag)"),
        Pointer("a DVC pointer, not the file itself", "fetch the file with: dvc pull"),
    ),
)


def pointer_of(head: bytes) -> Pointer | None:
    """Return which pointer begins with these bytes; None if it is no pointer."""
    return next((kind for pattern, kind in _POINTERS if pattern.match(head)), None)


def pointer_at(path: Path) -> Pointer | None:
    """Return which pointer a file is; None if it is none. Raises OSError if it cannot be read."""
    with reading(path) as file:
        return pointer_of(file.read(HEAD_BYTES))
