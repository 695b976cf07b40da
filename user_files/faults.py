"""Answers one question: why can this file not be read as what it should be?

It knows what happens to files on their way: nothing arrived, or the beginning alone, or a web page or a
pointer in the file's place, or it was packed or converted. It knows no format's content.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from user_files.line_ends import has_converted_line_ends
from user_files.markup import is_web_page
from user_files.pointers import HEAD_BYTES, pointer_of
from user_files.reading import reading
from user_files.safetensors_header import safetensors_bytes
from user_files.signatures import PACKED, signature_of

# A zip archive ends with a record of 22 bytes, and a comment of up to 65,535.
_ZIP_END, _ZIP_TAIL = b"PK\x05\x06", 22 + 65_535


@dataclass(frozen=True)
class Fault:
    """Why a file cannot be read."""

    what: str
    """In words, after "is"."""
    remedy: str
    """What to do."""


_EMPTY = Fault("empty", "copy or download it again")
_WEB_PAGE = Fault("a web page (HTML), not the file itself", "download the file itself, not the page about it")
_CONVERTED = Fault(
    "damaged, because its line ends were converted (LF to CR LF), as FTP in text mode or Git does",
    "copy it again in binary mode; in a Git repository, write '*{suffix} -text' into .gitattributes and "
    "check the file out again",
)


def why_unreadable(path: Path) -> str | None:
    """Return `FILE: is …; …`, with a remedy; None if nothing is known. Asked after reading has failed."""
    fault = fault_at(path)
    return None if fault is None else _sentence(path, fault)


def why_replaced(path: Path) -> str | None:
    """Return the same for text and for raw numbers, which may be empty, and begin with any bytes."""
    if not path.is_file():
        return None
    try:
        with reading(path) as file:
            head = file.read(HEAD_BYTES)
        fault = replaced_by(head) or (converted(path) if has_converted_line_ends(path) else None)
    except OSError:  # whoever tried to read it says so
        return None
    return None if fault is None else _sentence(path, fault)


def _sentence(path: Path, fault: Fault) -> str:
    return f"{path}: is {fault.what}; {fault.remedy}"


def why_changed(path: Path, sha256: str) -> str | None:
    """Return why a file has another SHA-256 than it should have, in the same form; None if unknown."""
    if (why := why_unreadable(path)) is not None or not path.is_file():
        return why
    with reading(path) as file:
        restored = hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()
    return _sentence(path, converted(path)) if restored == sha256 else None


def fault_at(path: Path) -> Fault | None:
    """Return what happened to a file on its way; None if nothing is seen, or it cannot be opened."""
    try:
        if path.is_symlink() and not path.exists():
            return _broken_link(os.readlink(path))
        return _fault(path) if path.is_file() else None
    except OSError:  # whoever tried to read it says so
        return None


def _broken_link(target: str) -> Fault:
    remedy = "fetch it with: git annex get FILE" if "annex/objects" in target else "put that file there"
    return Fault(f"a symbolic link to {target!r}, which is missing", remedy)


def _fault(path: Path) -> Fault | None:
    with reading(path) as file:
        head = file.read(HEAD_BYTES)
    if not head:
        return _EMPTY
    if (stand := replaced_by(head)) is not None:
        return stand
    signature = signature_of(head)
    if signature in PACKED:
        return Fault(signature.value, "unpack it, and give the file in it")
    return converted(path) if has_converted_line_ends(path) else _cut_off(path, head)


def replaced_by(head: bytes) -> Fault | None:
    """Return which web page or pointer a file is that begins with these bytes; None if it is none."""
    if is_web_page(head):
        return _WEB_PAGE
    pointer = pointer_of(head)
    return None if pointer is None else Fault(pointer.what, pointer.remedy)


def converted(path: Path) -> Fault:
    """Return the fault of a binary file whose line ends were converted."""
    return Fault(_CONVERTED.what, _CONVERTED.remedy.format(suffix=path.suffix))


def _cut_off(path: Path, head: bytes) -> Fault | None:
    size = path.stat().st_size
    if head.startswith(b"PK\x03\x04"):
        return None if _has_zip_end(path, size) else _shorter("a zip archive without its end")
    expected = safetensors_bytes(path, head)
    if expected is None or expected == size:
        return None
    if size < expected:
        return _shorter(f"it has {size:,} of {expected:,} bytes")
    return Fault(
        f"damaged: it has {size:,} bytes, and its header states {expected:,}", "copy or download it again"
    )


def _shorter(why: str) -> Fault:
    return Fault(f"cut off ({why})", "copy or download it again")


def _has_zip_end(path: Path, size: int) -> bool:
    with reading(path) as file:
        file.seek(max(0, size - _ZIP_TAIL))
        return _ZIP_END in file.read()
