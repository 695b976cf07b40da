"""What a command measures: a bundle, or model files. It opens them, and refuses options that do not fit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.bundle.manifest import MANIFEST, Bundle, read_bundle
from bench.errors import InputError
from bench.run.model_set import ModelSet, Shapes


@contextmanager
def opened(paths: Sequence[Path], shapes: Shapes, only: Sequence[str]) -> Iterator[Bundle | ModelSet]:
    """Open a bundle or model files; raises InputError for options that do not fit what is given."""
    if is_bundle(paths, shapes, only):
        yield only_bundle(paths)
    else:
        with ModelSet(paths, shapes) as models:
            yield models


def is_bundle(paths: Sequence[Path], shapes: Shapes, only: Sequence[str]) -> bool:
    """Return whether a bundle is given; raises InputError for options that do not fit what is given."""
    if any((path / MANIFEST).exists() for path in paths):
        if shapes:
            raise InputError("--shape: it applies to model files; a bundle has its shapes")
        return True
    if only:
        raise InputError("--only: it applies to bundles; give only the model files to measure")
    return False


def only_bundle(paths: Sequence[Path]) -> Bundle:
    """Read the bundle; raises InputError if something else is given beside it."""
    if len(paths) > 1:
        raise InputError(
            f"{paths[0]} and {paths[1]} cannot be measured together; give one bundle, or model files"
        )
    return read_bundle(paths[0])
