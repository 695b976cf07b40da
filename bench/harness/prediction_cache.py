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
from bench.filesystem.whole_files import write_whole
from bench.harness.plan import Case
from bench.measurements import Executed
from bench.record import Record
from bench.system.host import Host

# Part of every key. Count it up if the file changes, or if a reader of executed graphs changes its result.
_SCHEMA: Literal[3] = 3


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


def cache_file(case: Case, pack_sha256: str, host: Host, runtime: str) -> Path:
    """Return the file that holds a case's predictions. `runtime`: its name and version."""
    machine = host.model_dump(include={"cpu", "board", "architecture", "cpu_features", "memory_bytes", "os"})
    parts = (_SCHEMA, case.digest, case.config.model_dump(), case.engine, pack_sha256, machine, runtime)
    trim_cache("predictions")
    return cache_folder("predictions") / f"{hashlib.sha256(repr(parts).encode()).hexdigest()}.json"


def read(file: Path) -> CachedPredictions | None:
    """Return the cached predictions; None if there are none. Raises InputError if the file is damaged."""
    mark_as_used(file)
    try:
        return CachedPredictions.model_validate_json(file.read_bytes())
    except FileNotFoundError:  # there was none, or another command has just deleted it
        return None
    except (OSError, ValidationError):
        raise InputError(f"{file}: the cached predictions in it are damaged; delete that file") from None


def write(file: Path, predictions: CachedPredictions) -> None:
    """Write predictions to the cache. The file is written whole or not at all."""
    write_whole(file, predictions.model_dump_json(by_alias=True) + "\n")
