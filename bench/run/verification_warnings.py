"""Whether the manifest's verification covers a row's answers and its class of CPUs. Pure."""

from bench.bundle.cpu_class import PORTABLE, CpuClass
from bench.bundle.manifest import ArtifactRecord
from bench.bundle.variants import Precision
from bench.runtimes.providers import place_of
from bench.statistics import accuracy
from bench.statistics.accuracy import Logits, Paired

_CHANCE = 0.01


def verification_warnings(
    artifact: ArtifactRecord,
    provider: str,
    cpu_class: CpuClass | None,
    cpu: str,
    logits: Logits,
    reference: Logits,
) -> list[str]:
    """Return a sentence for each way in which the manifest's verification does not cover a row.

    `cpu_class` is that of the row's device, None if it is unknown. `cpu` names that CPU in the sentence.
    `logits` and `reference` are [images, classes] for the evaluation pack's first images.
    """
    on_cpu = place_of(provider) == "cpu" and artifact.precision is Precision.INT8
    sentences = _about_class(artifact, cpu_class, cpu) if on_cpu else []
    return sentences + _about_answers(artifact, logits, reference)


def _about_class(artifact: ArtifactRecord, cpu_class: CpuClass | None, cpu: str) -> list[str]:
    here = next((record for record in artifact.classes if record.cpu_class is cpu_class), None)
    if here is not None and here.how == "measured":
        return []
    device = f"{cpu} is {cpu_class.description if cpu_class else 'of a class that edgefit does not know'}"
    if here is not None:
        sentence = (
            f"{device}, for which int8 was {here.how}, not measured (agreement {here.agreement:.3f} on "
            f"{here.images} images): use this row's accuracy"
        )
    elif artifact.cpu is None:
        sentence = (
            "the bundle does not say on which CPUs its int8 was verified: use this row's accuracy, not the "
            "manifest's, or export again"
        )
    else:
        sentence = (
            f"{device}, for which int8 made for --cpu {artifact.cpu} was not verified: use this row's "
            f"accuracy, not the manifest's, or export again with --cpu {PORTABLE}"
        )
    return [sentence]


def _about_answers(artifact: ArtifactRecord, logits: Logits, reference: Logits) -> list[str]:
    """Warn if the number of images that changed class differs from the manifest's by more than chance."""
    images = min(artifact.verification.images, len(logits))
    here = set(accuracy.flips(logits[:images], reference[:images]))
    stored = {index for index in artifact.verification.flips if index < images}
    changed = Paired(
        images=images,
        both=images - len(here | stored),
        only_variant=len(stored - here),
        only_reference=len(here - stored),
    )
    p = changed.mcnemar_p()
    if p >= _CHANCE:
        return []
    sentence = (
        f"{len(here)} of {images} images get another class here than from the fp32 network, but "
        f"{len(stored)} in the manifest (p = {p:.2g}): this CPU or runtime computes the artifact "
        "differently; use this row's accuracy, not the manifest's"
    )
    return [sentence]
