"""The engines that TensorRT builds, kept in edgefit's cache folder: which of them are whole.

onnxruntime writes them, and syncs nothing. TensorRT refuses an engine that a kill or a loss of power cut off,
in every later run. So an engine counts only if it was recorded once the process that built it had ended well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.cache_limits import mark_as_used
from bench.filesystem.syncing import sync_all
from bench.filesystem.whole_files import write_whole
from bench.progress import Progress
from bench.record import Record
from user_files.hashes import sha256_of

TENSORRT = "tensorrt"
"""The name of the cache folder's part, and of the place where such a provider runs."""
_RECORD = "engines.json"


class WholeEngines(Record):
    """Which files in a folder of engines are whole."""

    sizes: dict[str, int]
    """The size of each file in bytes, by its name."""


def engine_folder(entry: Path) -> Path:
    """Return the folder for the engines of a model file."""
    return cache_folder(TENSORRT) / sha256_of(entry)[:16]


@contextmanager
def whole_engines(entry: Path, progress: Progress) -> Iterator[None]:
    """Delete engines that may be incomplete before the block, and record those that are there after it."""
    folder = engine_folder(entry)
    mark_as_used(folder)
    sizes = _recorded_sizes(folder)
    unknown = [path for path in _engines(folder) if sizes.get(path.name) != path.stat().st_size]
    for path in unknown:
        path.unlink()
    if unknown:
        progress.say(
            f"{folder}: TensorRT's engine in it may be incomplete, because the run that built it was ended; "
            "it is built again, which may take minutes"
        )
    yield
    if engines := _engines(folder):
        sync_all(folder)
        whole = WholeEngines(sizes={path.name: path.stat().st_size for path in engines})
        write_whole(folder / _RECORD, whole.model_dump_json() + "\n")


def _engines(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file() and path.name != _RECORD)


def _recorded_sizes(folder: Path) -> dict[str, int]:
    try:
        return WholeEngines.model_validate_json((folder / _RECORD).read_bytes()).sizes
    except (OSError, ValidationError):
        return {}
