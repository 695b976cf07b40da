"""The prediction cache: logits and executed graphs of earlier runs, so that no artifact is evaluated twice.

They depend only on artifact, options, evaluation pack, machine and runtime. These are the cache's key.
"""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.cache_limits import mark_as_used, trim_cache
from bench.filesystem.disk_errors import why_unwritten
from bench.filesystem.whole_files import write_whole
from bench.harness.plan import Case
from bench.measurements import Executed
from bench.progress import Progress
from bench.record import Record
from bench.system.host import Host

# Part of every key. Count it up if the file changes, or if a reader of executed graphs changes its result.
_SCHEMA: Literal[3] = 3
_CONSEQUENCE = "the next run computes these predictions again"


class CachedPredictions(Record):
    """The predictions of one artifact in one runtime on this machine."""

    schema_: Literal[3] = Field(default=_SCHEMA, alias="schema")
    """Version of this file's layout."""
    created: str
    """When the run that computed them began (ISO 8601)."""
    logits: tuple[tuple[float, ...], ...]
    """Logits [images][classes] of the first images of the pack."""
    executed: Executed
    """The executed graph."""
    key: str | None = None
    """The name of the file without its suffix; null in a file of before."""


def cache_file(case: Case, pack_sha256: str, host: Host, runtime: str) -> Path:
    """Return the file that holds a case's predictions. `runtime`: its name and version."""
    machine = host.model_dump(include={"cpu", "board", "architecture", "cpu_features", "memory_bytes", "os"})
    parts = (_SCHEMA, case.digest, case.config.model_dump(), case.engine, pack_sha256, machine, runtime)
    trim_cache("predictions")
    return cache_folder("predictions") / f"{hashlib.sha256(repr(parts).encode()).hexdigest()}.json"


def read(file: Path, images: int, values: int, progress: Progress) -> CachedPredictions | None:
    """Return the cached predictions; None if there are none for so many images with so many values each.

    A file that cannot be read, or is another case's, counts as none: it is said, and written anew.
    """
    mark_as_used(file)
    try:
        predictions = CachedPredictions.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        why = f"cannot be read ({error.strerror})" if isinstance(error, OSError) else "are damaged"
    else:
        if (foreign := _why_foreign(predictions, file, values)) is None:
            return predictions if len(predictions.logits) >= images else None
        why = foreign
    progress.say(f"{file}: the cached predictions in it {why}; they are computed again")
    return None


def _why_foreign(predictions: CachedPredictions, file: Path, values: int) -> str | None:
    """Return why predictions are not those that belong in a file; None if they are."""
    if predictions.key not in (None, file.stem):
        return "are those of another file"
    if any(len(row) != values for row in predictions.logits):
        return f"have not {values} values for each image"
    return None


def write(file: Path, predictions: CachedPredictions, progress: Progress) -> None:
    """Write predictions to the cache; where that fails, it is said, and the run goes on without it."""
    kept = predictions.model_copy(update={"key": file.stem})
    try:
        write_whole(file, kept.model_dump_json(by_alias=True) + "\n")
    except OSError as error:
        progress.say(f"{why_unwritten(error, file)}; {_CONSEQUENCE}")
    except InputError as error:
        progress.say(f"{error}; {_CONSEQUENCE}")
