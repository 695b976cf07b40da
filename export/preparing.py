"""Opens what an export starts from, and its data. It knows the kinds of sources by name."""

from pathlib import Path

from export.options import ExportOptions
from export.prepared import Prepared, prepare_run


def prepare(options: ExportOptions) -> Prepared:
    """Open the source and its data. Raises InputError for whatever the user gave that cannot be used."""
    return prepare_run(Path(options.source), options)
