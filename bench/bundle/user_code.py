"""Runs a user's own code: what it prints goes to stderr, and what it raises becomes an InputError."""

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType

from bench.errors import BenchError, InputError, first_sentence
from bench.own_path import PACKAGES


@contextlib.contextmanager
def user_code(where: str, remedy: str = "correct it, and run it alone first") -> Iterator[None]:
    """Run a user's code. `where` names it in the InputError for whatever it raises; edgefit's errors stay."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except BenchError:
        raise
    except (Exception, SystemExit) as error:
        if (package := _hidden_by(error)) is not None:
            raise InputError(
                f"{where}: uses a module '{package}', and finds edgefit's own package of this name; give "
                "yours another name"
            ) from error
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise InputError(f"{where}: raised {first_sentence(what)}; {remedy}") from error


def _hidden_by(error: BaseException) -> str | None:
    """Return the package of edgefit's that a user's code imported in the place of its own; None if none."""
    name: object = None
    if isinstance(error, ImportError):
        name = error.name
    elif isinstance(error, AttributeError):
        name = getattr(error.obj, "__name__", None) if isinstance(error.obj, ModuleType) else None
    package = str(name).partition(".")[0]
    return package if package in PACKAGES else None
