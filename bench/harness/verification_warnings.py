"""Whether a row's answers are those that the manifest verified, and on which class of CPUs. Pure."""

from bench.bundle import ArtifactRecord
from bench.machine.cpu_class import PORTABLE, CpuClass
from bench.runtimes.providers import place_of
from bench.statistics import accuracy
from bench.statistics.accuracy import Logits, Paired
from bench.variants import Precision

_CHANCE = 0.01


def warnings_of_verification(
    artifact: ArtifactRecord, provider: str, cpu_class: CpuClass, logits: Logits, reference: Logits
) -> list[str]:
    """Return a sentence for each way in which a row's answers are not covered by the manifest's verification.

    `logits`, `reference`: [images, classes], of the evaluation pack's first images; `cpu_class`: of the
    machine that gave them.
    """
    on_cpu = place_of(provider) == "cpu" and artifact.precision is Precision.INT8
    sentences = _about_class(artifact, cpu_class) if on_cpu else []
    return sentences + _about_answers(artifact, logits, reference)


def _about_class(artifact: ArtifactRecord, cpu_class: CpuClass) -> list[str]:
    here = next((each for each in artifact.classes if each.cpu_class is cpu_class), None)
    if here is not None and here.how == "measured":
        return []
    if here is not None:
        sentence = (
            f"int8 was not verified on {cpu_class.description}, which this CPU is: there it was {here.how} "
            f"(agreement {here.agreement:.3f} on {here.images} images); trust this row's accuracy"
        )
    elif artifact.cpu is None:
        sentence = (
            "the bundle does not say on which CPUs its int8 was verified: trust this row's accuracy, not the "
            "manifest's, or export again"
        )
    else:
        sentence = (
            f"int8 was made for --cpu {artifact.cpu} and not verified on {cpu_class.description}, which this "
            f"CPU is: trust this row's accuracy, not the manifest's, or export again with --cpu {PORTABLE}"
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
