"""edgefit's cache folder, which stays from one run to the next. It knows no file in it."""

from pathlib import Path

from bench.errors import InputError
from bench.filesystem.syncing import make_folder
from user_files.own_folders import CACHE_VARIABLE, NO_HOME, cache


def cache_folder(part: str) -> Path:
    """Return the folder for one part of the cache; create it if it is missing.

    Raises InputError if it cannot be created.
    """
    if (whole := cache()) is None:
        raise InputError(f"{NO_HOME}; set {CACHE_VARIABLE} to a writable folder, for edgefit's cache")
    folder = whole / part
    try:
        make_folder(folder)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be created ({error.strerror}); set {CACHE_VARIABLE} to a writable folder"
        ) from None
    return folder
