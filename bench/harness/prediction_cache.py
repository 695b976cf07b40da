"""Logits and executed graphs that are kept from one run to the next, so that no artifact is judged twice.

They depend on nothing but artifact, evaluation pack, machine and runtime, which are the key.
"""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.whole_files import write_whole
from bench.harness.plan import Case
from bench.measurements import Executed
from bench.record import Record
from bench.system.host import Host

# Part of every key: counts up when the file, or what a reader of executed graphs makes of one, changes.
_SCHEMA: Literal[2] = 2


class CachedPredictions(Record):
    """Logits [images][classes] of a pack's first images, and the executed graph; `created`: ISO 8601."""

    schema_: Literal[2] = Field(default=_SCHEMA, alias="schema")
    created: str
    logits: tuple[tuple[float, ...], ...]
    executed: Executed


def place_of(case: Case, pack_sha256: str, host: Host, runtime: str) -> Path:
    """Return the file in which a case's answers are kept. `runtime`: its name and version."""
    machine = host.model_dump(include={"cpu", "board", "architecture", "cpu_features", "memory_bytes", "os"})
    parts = (_SCHEMA, case.digest, case.provider, case.engine, pack_sha256, machine, runtime)
    return cache_folder("answers") / f"{hashlib.sha256(repr(parts).encode()).hexdigest()}.json"


def find(place: Path) -> CachedPredictions | None:
    """Return what is kept; None if nothing is. Raises InputError if the file is damaged."""
    if not place.exists():
        return None
    try:
        return CachedPredictions.model_validate_json(place.read_bytes())
    except (OSError, ValidationError):
        raise InputError(f"{place}: what an earlier run kept there is damaged; delete that file") from None


def keep(place: Path, answers: CachedPredictions) -> None:
    """Keep answers, whole or not at all."""
    write_whole(place, answers.model_dump_json(by_alias=True) + "\n")
