"""The record of a bundle in a report or a check."""

from bench.bundle.manifest import Bundle
from bench.report.schema import BundleRecord


def record_of(bundle: Bundle) -> BundleRecord:
    """Return the record of a bundle for a report or a check."""
    model = bundle.manifest.model
    return BundleRecord(
        sha256=bundle.sha256,
        name=bundle.manifest.name,
        model=model.arch,
        weights=model.weights,
        data=model.data,
        image_size=model.image_size or 0,
        classes=model.classes,
        pack_sha256=bundle.manifest.pack.file.sha256,
        folder=str(bundle.folder.resolve()),
    )
