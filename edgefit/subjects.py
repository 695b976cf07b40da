"""What a command measures: a bundle, or model files. It opens them, and refuses options that do not fit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.bundle.manifest import MANIFEST, Bundle, read_bundle
from bench.errors import InputError
from bench.run.model_inputs import InputsSource, inputs_source
from bench.run.model_set import ModelSet, Shapes
from user_files.reading import reading
from user_files.text import utf8_of

_HEAD_BYTES = 8


@dataclass(frozen=True)
class SubjectOptions:
    """The options that apply to a bundle alone, or to model files alone."""

    only: Sequence[str] = ()
    """The variants of a bundle that --only names; empty for all."""
    shapes: Shapes = field(default_factory=dict)
    """What --shape states, by the inputs' names."""
    data: str | None = None
    """See --data."""
    preprocess: str | None = None
    """See --preprocess."""
    judged_output: str | None = None
    """See --output."""

    @property
    def source(self) -> InputsSource | None:
        """The source of a model's inputs; None: random values."""
        if self.data is None and self.preprocess is None:
            return None
        return inputs_source(self.data, self.preprocess)

    def refuse_for_bundle(self) -> None:
        """Raise InputError for the first option that applies to model files alone, if it is given."""
        given = (
            ("--shape", self.shapes, "has its shapes"),
            ("--data", self.data, "has its evaluation images"),
            ("--preprocess", self.preprocess, "has its preprocessing"),
            ("--output", self.judged_output, "has one output"),
        )
        for option, value, why in given:
            if value:
                raise InputError(f"{option}: it applies to model files; a bundle {why}")

    def refuse_for_models(self) -> None:
        """Raise InputError if --only is given, which applies to bundles alone."""
        if self.only:
            raise InputError("--only: it applies to bundles; give only the model files to measure")


@contextmanager
def opened(paths: Sequence[Path], options: SubjectOptions) -> Iterator[Bundle | ModelSet]:
    """Open a bundle or model files; raises InputError for options that do not fit what is given."""
    if is_bundle(paths, options):
        yield only_bundle(paths)
        return
    with ModelSet(paths, options.shapes, options.source, options.judged_output) as models:
        yield models


def is_bundle(paths: Sequence[Path], options: SubjectOptions) -> bool:
    """Return whether a bundle is given; raises InputError for options that do not fit what is given."""
    if any((path / MANIFEST).exists() for path in paths):
        options.refuse_for_bundle()
        return True
    options.refuse_for_models()
    return False


def only_bundle(paths: Sequence[Path]) -> Bundle:
    """Read the bundle; raises InputError if something else is given beside it."""
    if len(paths) > 1:
        raise InputError(
            f"{paths[0]} and {paths[1]} cannot be measured together; give one bundle, or model files"
        )
    return read_bundle(paths[0])


def is_json(path: Path) -> bool:
    """Tell whether a file is meant as JSON, as reports are. No model file begins with a brace."""
    if path.suffix == ".json":
        return True
    if not path.is_file():  # opening a pipe would wait for its other end
        return False
    with reading(path) as file:
        return utf8_of(file.read(_HEAD_BYTES)).startswith(b"{")
