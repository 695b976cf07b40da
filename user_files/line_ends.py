"""Recognises a binary file whose line ends were converted, as FTP in text mode and Git with autocrlf do.

Every byte of LF (10) got a CR (13) before it. Among bytes of any other origin one LF in 256 has a CR before
it, so that a few LF tell. Text is left alone: there, CR LF is a usual end of a line.
"""

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from user_files.reading import reading

_FEWEST = 8
"""How many LF, each after a CR, show a conversion: chance makes that of one file in 256⁸."""
_BLOCK_BYTES = 1 << 20
# A file without any LF, such as one of zeros, says nothing in its first blocks, nor in gigabytes of them.
_MOST_BLOCKS = 16
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# The signature of PNG has a CR LF and a bare LF, so that it shows either conversion.
_PNG_CONVERTED = (b"\x89PNG\r\r\n", b"\x89PNG\n")


def has_converted_line_ends(path: Path) -> bool:
    """Return whether a binary file was converted from LF to CR LF. Raises OSError if it cannot be read.

    Of a whole file it reads the first bytes alone, up to an LF without a CR; of any file 16 MiB at most.
    """
    with reading(path) as file:
        return are_converted(iter(lambda: file.read(_BLOCK_BYTES), b""))


def are_converted(blocks: Iterable[bytes]) -> bool:
    """Return whether the first blocks of a file were converted from LF to CR LF."""
    count, last, is_binary = 0, b"", False
    for index, block in enumerate(islice(blocks, _MOST_BLOCKS)):
        if index == 0 and block.startswith(_PNG_CONVERTED):
            return True
        ends = block.count(b"\n")
        if ends != (last + block).count(b"\r\n"):
            return False
        count += ends
        is_binary = is_binary or _NOT_TEXT.search(block) is not None
        last = block[-1:] if block[-1:] == b"\r" else b""
    return is_binary and count >= _FEWEST
