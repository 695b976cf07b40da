"""The record of a bundle in a report or a check."""

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.judged_output import CLASSES
from bench.bundle.manifest import Bundle
from bench.report.schema import BundleRecord


def record_of(bundle: Bundle) -> BundleRecord:
    """Return the record of a bundle for a report or a check."""
    model, preprocessing = bundle.manifest.model, bundle.manifest.preprocessing
    source = model.source
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
        source=None if source is None else source.kind,
        inputs=() if source is None else source.signature.inputs,
        output=CLASSES if source is None else source.output,
        preprocess=preprocessing if isinstance(preprocessing, Preprocess) else None,
        origins=() if source is None else source.origins,
    )
