"""Whether the manifest's verification covers a row's answers and its class of CPUs. Pure."""

import math

import numpy as np

from bench.bundle.cpu_class import PORTABLE, CpuClass
from bench.bundle.manifest import ArtifactRecord, ClassVerification
from bench.bundle.variants import Precision
from bench.report.predictions import Predictions
from bench.runtimes.providers import place_of
from bench.statistics import accuracy
from bench.statistics.accuracy import Paired

_CHANCE = 0.01
# Twice the error is 6 dB.
_MUCH_WORSE_DB = 6.0


def verification_warnings(
    artifact: ArtifactRecord,
    provider: str,
    cpu_class: CpuClass | None,
    cpu: str,
    predictions: Predictions,
) -> list[str]:
    """Return a sentence for each way in which the manifest's verification does not cover a row.

    `cpu_class` is that of the row's device, None if it is unknown. `cpu` names that CPU in the sentence.
    `predictions` are those for the evaluation pack's first images, with the reference's.
    """
    return class_warnings(artifact, provider, cpu_class, cpu) + _about_answers(artifact, predictions)


def class_warnings(
    artifact: ArtifactRecord, provider: str, cpu_class: CpuClass | None, cpu: str
) -> list[str]:
    """Return a sentence if int8 was not measured on a row's class of CPUs. See verification_warnings."""
    on_cpu = place_of(provider) == "cpu" and artifact.precision is Precision.INT8
    return _about_class(artifact, cpu_class, cpu) if on_cpu else []


def value_warnings(artifact: ArtifactRecord, sqnr_db: float | None) -> list[str]:
    """Return a sentence if values of an output without classes are much farther from the source's here.

    `sqnr_db`: None where they are equal.
    """
    here = math.inf if sqnr_db is None else sqnr_db
    stored = math.inf if artifact.verification.sqnr_db is None else artifact.verification.sqnr_db
    if here >= min(accuracy.MIN_SQNR_DB, stored - _MUCH_WORSE_DB):
        return []
    in_manifest = "exact" if stored == math.inf else f"{stored:.1f} dB"
    sentence = (
        f"the SQNR of its values is {here:.1f} dB here, and {in_manifest} in the manifest: this CPU or "
        "runtime computes the artifact differently; use this row's figures, not the manifest's"
    )
    return [sentence]


def _about_class(artifact: ArtifactRecord, cpu_class: CpuClass | None, cpu: str) -> list[str]:
    here = next((record for record in artifact.classes if record.cpu_class is cpu_class), None)
    if here is not None and here.how == "measured":
        return []
    device = f"{cpu} is {cpu_class.description if cpu_class else 'of a class that edgefit does not know'}"
    if here is not None:
        sentence = (
            f"{device}, for which int8 was {here.how}, not measured ({_figure(here)} on "
            f"{here.images} images): use this row's figures"
        )
    elif artifact.cpu is None and artifact.signature is not None:  # schema 1 has no signature
        sentence = (
            f"{device}; this file was int8 before the export, and edgefit does not know for which CPUs it "
            f"was made{_measured_on(artifact)}: use this row's figures, measure each kind of CPU with --on, "
            f"or export the float model with --cpu {PORTABLE}"
        )
    elif artifact.cpu is None:
        sentence = (
            "the bundle does not say on which CPUs its int8 was verified: use this row's figures, not the "
            "manifest's, or export again"
        )
    else:
        sentence = (
            f"{device}, for which int8 made for --cpu {artifact.cpu} was not verified: use this row's "
            f"accuracy, not the manifest's, or export again with --cpu {PORTABLE}"
        )
    return [sentence]


def _measured_on(artifact: ArtifactRecord) -> str:
    """Return on which classes the export ran the file, as a part of a sentence; nothing if unknown."""
    names = [each.cpu_class.description for each in artifact.classes if each.how == "measured"]
    return f"; its outputs were computed on {' and '.join(names)} alone" if names else ""


def _figure(verified: ClassVerification) -> str:
    if verified.agreement is not None:
        return f"agreement {verified.agreement:.3f}"
    return "exact" if verified.sqnr_db is None else f"SQNR {verified.sqnr_db:.1f} dB"


def _about_answers(artifact: ArtifactRecord, predictions: Predictions) -> list[str]:
    """Warn if the number of decisions that changed differs from the manifest's by more than chance."""
    each = predictions.each
    images = min(artifact.verification.images, len(predictions.logits) // each)
    count = images * each
    here = np.zeros(count, dtype=np.bool_)
    here[accuracy.flips(predictions.logits[:count], predictions.reference[:count])] = True
    stored = np.zeros(count, dtype=np.bool_)
    stored[[index for index in artifact.verification.flips if index < count]] = True
    p = Paired.of(~here.reshape(images, each), ~stored.reshape(images, each)).mcnemar_p()
    if p >= _CHANCE:
        return []
    noun = "images get" if each == 1 else "labels get"
    sentence = (
        f"{here.sum()} of {count} {noun} another class here than from the reference, but "
        f"{stored.sum()} in the manifest (p = {p:.2g}): this CPU or runtime computes the artifact "
        "differently; use this row's figures, not the manifest's"
    )
    return [sentence]
