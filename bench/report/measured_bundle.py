"""The record of a bundle in a report or a check, and of its evaluation images."""

from bench.bundle.evaluation_pack import EvaluationPack, Labels
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.judged_output import CLASSES
from bench.bundle.manifest import Bundle
from bench.report.schema import BundleRecord, Evaluation


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


def evaluation_of(
    bundle: Bundle, evaluated: EvaluationPack, pack_images: int, is_hashed: bool = False
) -> Evaluation:
    """Return the labels and reference answers of the images of a bundle that are evaluated.

    `is_hashed`: with the hash of the images, by which other bundles are known to have the same ones.
    """
    source, labels = bundle.manifest.model.source, evaluated.labels
    return Evaluation(
        labels=None if labels is None else _as_tuples(labels),
        reference_logits=tuple(tuple(float(logit) for logit in row) for row in evaluated.reference_logits),
        positive_class=bundle.manifest.pack.positive_class,
        pack_images=pack_images,
        output=CLASSES if source is None else source.output,
        samples_sha256=evaluated.samples_sha256() if is_hashed else None,
        sources_sha256=bundle.manifest.pack.sources_sha256 if is_hashed else None,
    )


def _as_tuples(labels: Labels) -> tuple[int, ...] | tuple[tuple[int, ...], ...]:
    if labels.ndim == 1:
        return tuple(int(label) for label in labels)
    return tuple(tuple(int(label) for label in row) for row in labels)
