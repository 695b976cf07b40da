"""Finds a function of the user's own, in the current folder or in what is installed."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

from bench.bundle.user_code import user_code
from bench.errors import InputError
from bench.own_path import PACKAGES


def function_at(path: str, folder: str) -> Callable[[], object]:
    """Return the function at `package.module:function`, looked for in a folder and in what is installed.

    Raises InputError if there is none.
    """
    module_name, _, name = path.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        raise InputError(
            f"{path}: names no function in Python; write package.module:function, such as nets.small:build"
        )
    value: object = _module(path, module_name, folder)
    for part in name.split("."):
        if not hasattr(value, part):
            raise InputError(f"{path}: {module_name} has no '{name}'; name a function that it defines")
        value = getattr(value, part)
    if not callable(value):
        kind = type(value).__name__
        raise InputError(f"{path}: is no function but {kind}; name a function that returns the network")
    return value


def _module(path: str, name: str, folder: str) -> ModuleType:
    top = name.partition(".")[0]
    if top in PACKAGES:
        raise InputError(f"{path}: edgefit has a package '{top}' of its own; give yours another name")
    if sys.path[0] != folder:
        sys.path.insert(0, folder)  # it stays there: the network may import more of it while it runs
    importlib.invalidate_caches()
    with user_code(path):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if missing.partition(".")[0] in PACKAGES:
                raise
            if name != missing and not name.startswith(f"{missing}."):
                raise InputError(
                    f"{path}: needs the module '{missing}', which is not installed here; install it beside "
                    "edgefit"
                ) from None
            raise InputError(
                f"{path}: there is no module '{missing}' in {folder}, nor is it installed; run edgefit in "
                "the folder that has it, or install it"
            ) from None
