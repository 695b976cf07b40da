"""The header of an ExecuTorch program: how long the program is, and where its segments lie behind it.

It needs no package, and knows nothing of the program.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from user_files.reading import reading

_MAGIC, _START = b"eh00", 8
# The header's own length, the program's size, where segments begin, and since 2025 how long they are.
_LAYOUT = "<IQQQ"
_BYTES = _START + len(_MAGIC) + struct.calcsize(_LAYOUT)


@dataclass(frozen=True)
class ProgramHeader:
    """What the header says, in bytes."""

    program_size: int
    """How long the program is, from the beginning of the file."""
    segments_start: int
    """Where the segments begin; 0 if there are none."""
    segments_size: int
    """How long all of them are together; 0 if the file does not say it."""

    @property
    def least_size(self) -> int:
        """How long the file is at least."""
        return max(self.program_size, self.segments_start + self.segments_size)


def read_header(head: bytes) -> ProgramHeader | None:
    """Return the header of a file that begins with `head`; None if it has none, as files of before 2023."""
    if head[_START : _START + len(_MAGIC)] != _MAGIC or len(head) < _BYTES:
        return None
    at = _START + len(_MAGIC)
    length, program_size, segments_start, segments_size = struct.unpack_from(_LAYOUT, head, at)
    is_new = length >= len(_MAGIC) + struct.calcsize(_LAYOUT)
    return ProgramHeader(program_size, segments_start, segments_size if is_new else 0)


def is_cut_off(path: Path) -> bool:
    """Whether a program's file is shorter than its header says."""
    with reading(path) as file:
        header = read_header(file.read(_BYTES))
    return header is not None and path.stat().st_size < header.least_size
