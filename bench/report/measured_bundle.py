"""Which bundle a report or a check is about."""

from bench.bundle.manifest import Bundle
from bench.report.schema import BundleRecord


def record_of(bundle: Bundle) -> BundleRecord:
    """Return what a report says of a bundle."""
    model = bundle.manifest.model
    return BundleRecord(
        sha256=bundle.sha256,
        name=bundle.manifest.name,
        model=model.arch,
        weights=model.weights,
        data=model.data,
        image_size=model.image_size,
        classes=model.classes,
        pack_sha256=bundle.manifest.pack.file.sha256,
        folder=str(bundle.folder.resolve()),
    )
