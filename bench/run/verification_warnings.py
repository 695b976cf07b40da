"""Whether a row's answers are those that the manifest verified, and on which class of CPUs. Pure."""

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
    """Return a sentence for each way in which a row's answers are not covered by the manifest's verification.

    `cpu_class`: of the device that the row is about, None if it is of no known class; `cpu`: that device's
    CPU, in the sentence; `logits`, `reference`: [images, classes], of the evaluation pack's first images.
    """
    on_cpu = place_of(provider) == "cpu" and artifact.precision is Precision.INT8
    sentences = _about_class(artifact, cpu_class, cpu) if on_cpu else []
    return sentences + _about_answers(artifact, logits, reference)


def _about_class(artifact: ArtifactRecord, cpu_class: CpuClass | None, cpu: str) -> list[str]:
    here = next((each for each in artifact.classes if each.cpu_class is cpu_class), None)
    if here is not None and here.how == "measured":
        return []
    is_one = f"{cpu} is {cpu_class.description if cpu_class else 'of no class that edgefit knows'}"
    if here is not None:
        sentence = (
            f"{is_one}, where int8 was not verified but {here.how} (agreement {here.agreement:.3f} on "
            f"{here.images} images): trust this row's accuracy"
        )
    elif artifact.cpu is None:
        sentence = (
            "the bundle does not say on which CPUs its int8 was verified: trust this row's accuracy, not the "
            "manifest's, or export again"
        )
    else:
        sentence = (
            f"{is_one}, where int8 that was made for --cpu {artifact.cpu} was not verified: trust this row's "
            f"accuracy, not the manifest's, or export again with --cpu {PORTABLE}"
        )
    return [sentence]


def _about_answers(artifact: ArtifactRecord, logits: Logits, reference: Logits) -> list[str]:
    """Say where more images changed their class than in the manifest, or fewer, and chance is not why."""
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
        f"{len(here)} of {images} images have another class than the fp32 model's here, and {len(stored)} in "
        f"the manifest (p = {p:.2g}): this CPU or runtime computes the artifact otherwise; trust this row's "
        "accuracy, not the manifest's"
    )
    return [sentence]
