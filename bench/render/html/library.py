"""The scripts that draw a page's charts: Vega, Vega-Lite and vega-embed, as vl-convert contains them.

vl-convert takes more than a second to bundle them. They are the same each time, so the cache has them.
"""

import gzip
import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import vl_convert

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.cache_limits import mark_as_used, trim_cache
from bench.filesystem.disk_errors import why_unwritten
from bench.filesystem.whole_files import write_whole

_PART = "page-scripts"
# Before the scripts in the file: what tells a whole file from a damaged one.
_HASH_BYTES = hashlib.sha256().digest_size
_CONSEQUENCE = "the next page takes a second longer"


def packed_library(say: Callable[[str], None]) -> bytes:
    """Return the scripts, packed by gzip; from the cache if they are there and whole.

    `say` is told if the cache cannot be used, in a sentence.
    """
    try:
        file = cache_folder(_PART) / f"{version('vl-convert-python')}.bin"
    except InputError as error:
        say(f"{error}; {_CONSEQUENCE}")
        return bundled_library()
    trim_cache(_PART)
    if (cached := _cached(file, say)) is not None:
        return cached
    packed = bundled_library()
    try:
        write_whole(file, hashlib.sha256(packed).digest() + packed)
    except OSError as error:
        say(f"{why_unwritten(error, file)}; {_CONSEQUENCE}")
    except InputError as error:
        say(f"{error}; {_CONSEQUENCE}")
    return packed


def _cached(file: Path, say: Callable[[str], None]) -> bytes | None:
    mark_as_used(file)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
    else:
        if hashlib.sha256(packed := content[_HASH_BYTES:]).digest() == content[:_HASH_BYTES]:
            return packed
        why = "are damaged"
    say(f"{file}: the cached scripts in it {why}; they are made again")
    return None


def bundled_library() -> bytes:
    """Return the scripts, packed by gzip, whose bytes are the same each time."""
    script: str = vl_convert.javascript_bundle()  # type: ignore[call-arg] # its stub lacks the default
    return gzip.compress(script.encode(), mtime=0)
