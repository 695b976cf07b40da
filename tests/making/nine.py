"""A bundle of all formats and precisions, made by the real exporters from a small run."""

from pathlib import Path

from export.export import ExportOptions, export
from models.progress import Silent

CALIBRATION = 40


def make_nine(run: Path, folder: Path) -> None:
    """Export a run to `folder`, int8 by the default recipe: a search takes most of a minute."""
    folder.mkdir()
    options = ExportOptions(str(run), calibration_images=CALIBRATION, min_retention=0)
    export(options, folder, Silent(), "edgefit 0", None, "2026-01-01T00:00:00+00:00")
