"""Where a process of edgefit finds modules: edgefit's packages first, the user's folders after all others.

A folder on PYTHONPATH, or the folder that edgefit is started in, may have modules of the same names as
edgefit's packages or Python's modules. So this is called before anything else is imported, and imports only
what every Python has loaded by then. The process's first lines are the caller's:

    sys.path.insert(0, HOME)
    from bench.own_path import put_own_first
    put_own_first()
"""

import os
import sys

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = ("bench", "device_profiles", "edgefit", "export", "models", "user_files")
_STANDARD_LIBRARY = os.path.dirname(os.__file__)


class HiddenModuleError(Exception):
    """A file of the user's hides one of Python's modules, and has been imported already."""


def put_own_first() -> None:
    """Take HOME off sys.path, import edgefit's packages from it, and have the user's folders searched last.

    The packages are empty, and their modules are found through them from then on. Raises HiddenModuleError.
    """
    _, *searched = sys.path
    last = _user_folders(searched)
    refuse_hidden([_absolute(entry) for entry in last])
    sys.path[:] = [HOME]
    for name in PACKAGES:
        try:
            __import__(name)
        except ModuleNotFoundError:  # a board has three of them
            continue
    sys.path[:] = [*(entry for entry in searched if entry not in last), *last]


def refuse_hidden(folders: list[str]) -> None:
    """Raise HiddenModuleError if one of Python's modules was imported from one of these folders."""
    for name in sys.stdlib_module_names.intersection(sys.modules):
        file = getattr(sys.modules[name], "__file__", None)
        module = os.path.dirname(file) if file and os.path.basename(file) == "__init__.py" else file
        if module and os.path.dirname(module) in folders:
            raise HiddenModuleError(
                f"{module} hides Python's own module '{name}'; rename it, or start edgefit without its "
                "folder on PYTHONPATH and in another folder"
            )


def named_folders() -> list[str]:
    """Return the folders that PYTHONPATH names, as absolute paths."""
    named = os.environ.get("PYTHONPATH")
    return [_absolute(entry) for entry in named.split(os.pathsep)] if named else []


def _user_folders(searched: list[str]) -> list[str]:
    """Return the entries of sys.path that are none of Python's: what it is started in, and PYTHONPATH."""
    started_in = [] if getattr(sys.flags, "safe_path", False) else searched[:1]
    named = named_folders()
    users = [entry for entry in searched[len(started_in) :] if _absolute(entry) in named]
    return [entry for entry in [*users, *started_in] if not entry.startswith(_STANDARD_LIBRARY)]


def _absolute(entry: str) -> str:
    try:
        return os.path.abspath(entry)
    except OSError:  # the current folder is deleted
        return entry
