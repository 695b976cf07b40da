"""Says why there is nothing at a path that a user typed: what the shell left in it, or a slip."""

import difflib
import os
import re
from pathlib import Path

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_WINDOWS = re.compile(r"([A-Za-z]):[\\/](.*)")
_PATTERN = re.compile(r"[*?\[]")
_QUOTES = "'\"“”‘’`"
_LIKE = 0.75


def missing_hint(path: Path | str) -> str | None:
    """Return what to type instead of a path at which there is nothing; None if nothing tells."""
    text = os.fspath(path)
    return _not_a_path(text) or _not_expanded(text) or _slip(Path(text))


def _not_a_path(text: str) -> str | None:
    if not text.strip():
        return "the path is empty: if it came from a variable of the shell, set the variable"
    if text == "-":
        return "edgefit does not read standard input: write it to a file, and give that"
    if text.lower().startswith("file:/"):
        return f"give the path alone: /{text[len('file:') :].lstrip('/')}"
    if _ADDRESS.match(text):
        return "it is an address: download the file, and give its path here"
    if windows := _WINDOWS.fullmatch(text):
        below = windows[2].replace("\\", "/")
        return f"it is a path of Windows: in WSL, give /mnt/{windows[1].lower()}/{below}"
    return None


def _not_expanded(text: str) -> str | None:
    if text.startswith("~"):
        return f"the shell did not replace ~, as in quotes and after '=': give {os.path.expanduser(text)}"
    if "$" in text:
        return "the shell did not replace the variable in it, as in single quotes: give the path itself"
    bare = text.strip().strip(_QUOTES).strip()
    if bare != text and os.path.exists(bare):
        return f"it has a blank or quotes around it: give {bare}"
    slashes = text.replace("\\", "/")
    if slashes != text and os.path.exists(slashes):
        return f"it has backslashes: give {slashes}"
    if _PATTERN.search(text):
        return "the shell found no file for this pattern: look at what is there with ls"
    return None


def _slip(path: Path) -> str | None:
    above = path.parent
    if above.is_file():
        return f"{above} is a file, not a folder"
    if not above.is_dir():
        absent = next(folder for folder in (above, *above.parents) if folder.parent.is_dir())
        return f"there is no folder {absent}"
    try:
        names = {name.lower(): name for name in sorted(os.listdir(above))}
    except OSError:
        return f"the folder {above} cannot be listed: ask for the right to read it"
    like = difflib.get_close_matches(path.name.lower(), names, n=1, cutoff=_LIKE)
    return f"did you mean {above / names[like[0]]}?" if like else None
