"""Opens what an export starts from, and its data. It knows the kinds of sources by name."""

from pathlib import Path

from bench.bundle.source_record import SourceKind
from bench.errors import InputError
from export.options import ExportOptions
from export.prepared import Prepared, prepare_run
from export.source_runner import SourceRunner
from export.sources.recognising import recognise
from models.progress import Progress


def prepare(options: ExportOptions, runner: SourceRunner, progress: Progress) -> Prepared:
    """Open the source and its data. Raises InputError for whatever the user gave that cannot be used."""
    spec = recognise(options.source, options.weights)
    if spec.kind is SourceKind.RUN:
        _refuse_for_run(options)
        return prepare_run(Path(options.source), options)
    raise NotImplementedError(runner, progress)


def _refuse_for_run(options: ExportOptions) -> None:
    """Raise InputError for the first option that a run folder leaves nothing to do for."""
    given = (
        ("--data", options.data, "has its images"),
        ("--preprocess", options.preprocess, "has its preprocessing"),
        ("--trust-preprocess", options.trust_preprocess, "has its preprocessing"),
        ("--shape", options.shapes, "has its shape"),
        ("--output", options.judged_output, "has one output"),
        ("--activation", options.activation, "gives logits"),
        ("--classes", options.classes, "names its classes"),
        ("--positive", options.positive, "has a positive class"),
    )
    for option, value, why in given:
        if value:
            raise InputError(f"{option}: a run folder {why}; leave it out")
