"""Wheels that were downloaded, kept in edgefit's own folder for the next board of the same kind."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.cache_limits import mark_as_used, trim_cache
from bench.filesystem.disk_errors import naming_what_filled
from bench.filesystem.syncing import sync_all, sync_folder
from bench.filesystem.unfinished import PART, name_beside, new_folder, sweep_parts
from bench.progress import Progress
from bench.record import Record
from bench.remote.wheels import Platform, download_wheels
from user_files.hashes import sha256_of

_RECORD = "wheels.json"


class KeptWheels(Record):
    """What lies in one folder of kept wheels."""

    wheels: dict[str, str]
    """The SHA-256 of each wheel by its file name."""


def cached_wheels(
    platform: Platform, requirements: Sequence[str], progress: Progress, provided: Iterable[str] = ()
) -> list[Path]:
    """Return wheels as `download_wheels` does, out of edgefit's own folder once they lie there whole."""
    provided = sorted(provided)
    key = hashlib.sha256(repr((platform, sorted(requirements), provided)).encode()).hexdigest()[:16]
    trim_cache("wheels")
    folder = cache_folder("wheels") / key
    if os.path.lexists(folder):
        if (kept := _whole_wheels(folder)) is not None:
            mark_as_used(folder)
            return kept
        progress.say(
            f"{folder}: the wheels in it are incomplete or damaged, or an earlier edgefit kept them; they "
            "are downloaded again"
        )
    part = name_beside(folder, PART)
    try:
        with new_folder(part), naming_what_filled(part, folder):
            wheels = download_wheels(platform, requirements, part, progress, provided)
            record = KeptWheels(wheels={wheel.name: sha256_of(wheel) for wheel in wheels})
            (part / _RECORD).write_text(record.model_dump_json() + "\n", encoding="utf-8")
            sync_all(part)
            _put(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [folder / wheel.name for wheel in wheels]


def _whole_wheels(folder: Path) -> list[Path] | None:
    """Return the wheels in a folder; None if one of them is not as it was downloaded."""
    try:
        record = KeptWheels.model_validate_json((folder / _RECORD).read_bytes())
        are_whole = all(sha256_of(folder / name) == sha256 for name, sha256 in record.wheels.items())
    except (OSError, ValidationError):
        return None
    return sorted(folder / name for name in record.wheels) if are_whole else None


def _put(part: Path, folder: Path) -> None:
    """Put new wheels in the place of what lies there; of two commands that do so, either may win."""
    try:
        if os.path.lexists(folder):
            folder.rename(name_beside(folder, PART))
        part.rename(folder)
    except OSError:
        if _whole_wheels(folder) is None:  # else another command was faster, and downloaded the same
            raise
    sync_folder(folder.parent)
    sweep_parts(folder)
