"""edgefit's folder on a board after its first use: kept once, and put on boards that are to know the wheels.

A board that has it unpacks no wheel and compiles no module.
"""

import os
import shutil
from pathlib import Path

# What a measurement adds stays where it is: jobs, predictions and journals are a test's own.
_FOLDERS = ("environments", "code", "bytecode", "blobs")
_FILES = ("bytecode-of-boot", "made-above")
_WHERE = "where-it-was"


def keep_store(store: Path, kept: Path) -> None:
    """Move what a board's store has of wheels, code and files to `kept`."""
    kept.mkdir()
    for name in (*_FOLDERS, *_FILES):
        (store / name).rename(kept / name)
    (kept / _WHERE).write_text(str(store))


def put_store(kept: Path, store: Path) -> None:
    """Put what was kept where a board looks for it, with every path in it that of the new place."""
    store.mkdir(mode=0o755, parents=True)
    was_at = (kept / _WHERE).read_text()
    for name in _FOLDERS:
        # Links take no time; a blob is copied, because a test may spoil it.
        copy = shutil.copy2 if name == "blobs" else os.link
        shutil.copytree(kept / name, store / name, symlinks=True, copy_function=copy)
    for name in _FILES:
        text = (kept / name).read_text()
        (store / name).write_text(text.replace(str(Path(was_at).parent), str(store.parent)))
    # Python looks for a module's bytecode under the path of its source.
    compiled = store / "bytecode" / store.relative_to("/")
    compiled.parent.mkdir(parents=True, exist_ok=True)
    (store / "bytecode" / Path(was_at).relative_to("/")).rename(compiled)
