"""Where a user's own folders are: edgefit's cache, its configuration, the home folder. It makes none of them.

Source: the XDG Base Directory Specification, which ignores relative paths in its variables.
"""

import os
from pathlib import Path

CACHE_VARIABLE = "EDGEFIT_CACHE"
# What Debian writes in the place of a home folder for users without one.
_NOWHERE = Path("/nonexistent")
NO_HOME = "this user has no home folder: HOME is not set"
"""How a message begins that says why a folder is None."""


def cache() -> Path | None:
    """Return $EDGEFIT_CACHE, else $XDG_CACHE_HOME/edgefit, else ~/.cache/edgefit; None without a home."""
    if own := os.environ.get(CACHE_VARIABLE):
        return expanded(own)
    return _below("XDG_CACHE_HOME", ".cache")


def configuration() -> Path | None:
    """Return $XDG_CONFIG_HOME/edgefit, else ~/.config/edgefit; None without a home."""
    return _below("XDG_CONFIG_HOME", ".config")


def home() -> Path | None:
    """Return the home folder; None if HOME is not set and the system does not know the user."""
    try:
        folder = Path.home().absolute()
    except RuntimeError:
        return None
    return None if folder == _NOWHERE else folder


def name_a_home() -> None:
    """Have HOME name a folder that does not exist, for a user without a home.

    Some libraries ask for a home folder when they are imported, and raise where there is none.
    """
    if home() is None:
        os.environ["HOME"] = str(_NOWHERE)


def is_below_no_home(path: Path) -> bool:
    """Tell whether a library put this path below the home folder of a user who has none."""
    return path.parts[:1] == ("~",) or path.is_relative_to(_NOWHERE)


def expanded(path: str) -> Path:
    """Return the absolute path of what a variable says, in which `~` is the home folder, if there is one."""
    return Path(os.path.expanduser(path)).absolute()


def _below(variable: str, usual: str) -> Path | None:
    named = os.environ.get(variable, "")
    if os.path.isabs(named):
        return Path(named) / "edgefit"
    whose = home()
    return None if whose is None else whose / usual / "edgefit"
