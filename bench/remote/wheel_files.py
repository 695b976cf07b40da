"""Files of wheels, which come from an index or a person: their names, and what they need."""

import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from email.parser import HeaderParser
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from bench.errors import InputError

# The largest core metadata, with a project's whole description, have some hundred kilobytes.
_LONGEST_METADATA = 16 << 20
# What zipfile raises for a damaged archive, or one of a kind that it does not read.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, LookupError, OSError)


def is_wheel_name(name: str) -> bool:
    """Return whether this is the name of a wheel's file, and of no file in another folder."""
    try:
        parse_wheel_filename(name)
    except InvalidWheelFilename:
        return False
    return re.search(r"[/\\\x00]", name) is None


def by_distribution(wheels: Iterable[Path]) -> dict[str, Path]:
    """Return wheels by their distributions' names; raises InputError for a file that is no wheel."""
    found: dict[str, Path] = {}
    for wheel in wheels:
        if not is_wheel_name(wheel.name):
            raise InputError(f"{wheel}: this is not the name of a wheel; take this file away")
        found[canonicalize_name(parse_wheel_filename(wheel.name)[0])] = wheel
    return found


def metadata_of(wheel: Path) -> Mapping[str, Sequence[str]]:
    """Return a wheel's core metadata; raises InputError if it is damaged."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            name = next(name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
            if archive.getinfo(name).file_size > _LONGEST_METADATA:
                raise ValueError(f"{name} is too long")
            message = HeaderParser().parsestr(archive.read(name).decode())
    except (*_DAMAGE, StopIteration) as error:
        reason = str(error) or "it has no METADATA"
        raise InputError(f"{wheel}: this wheel is damaged ({reason}); download it again") from None
    return {key: message.get_all(key, []) for key in message}
