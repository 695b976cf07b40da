"""Runs a user's own code: what it prints goes to stderr, and what it raises becomes an InputError."""

import contextlib
import sys
from collections.abc import Iterator

from bench.errors import BenchError, InputError, first_sentence


@contextlib.contextmanager
def user_code(where: str, remedy: str = "correct it, and run it alone first") -> Iterator[None]:
    """Run a user's code. `where` names it in the InputError for whatever it raises; edgefit's errors stay."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except BenchError:
        raise
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise InputError(f"{where}: raised {first_sentence(what)}; {remedy}") from error
