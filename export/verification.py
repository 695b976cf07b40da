"""Whether an artifact does what the fp32 network does. Pure functions on logits."""

from dataclasses import dataclass

from bench.bundle.manifest import ArtifactRecord, VerificationRecord
from bench.bundle.variants import Precision
from bench.statistics import accuracy
from bench.statistics.accuracy import Labels, Logits


@dataclass(frozen=True)
class Limits:
    """What a right artifact keeps to. `images`: how many of the pack's first it is run over, None for all.

    `agreement` is a share of images; one image more may differ, so that one image decides nothing.
    """

    images: int | None
    largest_difference: float | None
    agreement: float


# fp32: the same arithmetic in another order of summation; 3e-5 is usual, a wrong layer shows in whole units.
# fp16: half of 11 bits' rounding stays near 60 dB; one image in 100 allows for unsure networks.
# int8: good recipes stay above 0.95; one class for every image, or overflow, is far below.
LIMITS = {
    Precision.FP32: Limits(images=128, largest_difference=1e-3, agreement=0.99),
    Precision.FP16: Limits(images=128, largest_difference=None, agreement=0.99),
    Precision.INT8: Limits(images=None, largest_difference=None, agreement=0.90),
}


class WrongArtifactError(Exception):
    """An artifact whose answers are not the network's; its file must not be kept."""


def verify(precision: Precision, logits: Logits, reference: Logits, labels: Labels) -> VerificationRecord:
    """Compare logits [n, classes] with the fp32 network's; raises WrongArtifactError beyond LIMITS."""
    if logits.shape != reference.shape:
        raise WrongArtifactError(f"gives logits of shape {logits.shape}, the network {reference.shape}")
    difference = accuracy.largest_difference(logits, reference)
    _check(precision, difference, accuracy.agreement(logits, reference), len(labels))
    pair = accuracy.pair(logits, reference, labels)
    if pair.retention is None:
        raise WrongArtifactError(f"the fp32 network is right on none of {len(labels)} images")
    return VerificationRecord(
        images=len(labels),
        largest_difference=difference,
        sqnr_db=accuracy.sqnr_db(logits, reference),
        agreement=accuracy.agreement(logits, reference),
        flips=tuple(accuracy.flips(logits, reference)),
        retention=pair.retention,
        retention_ci95=pair.retention_ci95(),
        mcnemar_p=pair.mcnemar_p(),
    )


def _check(precision: Precision, difference: float, agreement: float, images: int) -> None:
    limits = LIMITS[precision]
    if difference == float("inf"):
        raise WrongArtifactError("gives logits that are not finite")
    if limits.largest_difference is not None and difference > limits.largest_difference:
        raise WrongArtifactError(
            f"its largest logit difference from the fp32 network is {difference:.2g} on {images} images, "
            f"more than {limits.largest_difference:g}"
        )
    if agreement < limits.agreement - 1 / images:
        raise WrongArtifactError(
            f"it predicts the fp32 network's class on {agreement:.1%} of {images} images, "
            f"fewer than {limits.agreement:.0%}"
        )


def warnings_of(artifact: ArtifactRecord) -> tuple[str, ...]:
    """Say by how much an int8 artifact misses what its search asked for; nothing if it does not."""
    search = artifact.search
    if search is None or search.reached:
        return ()
    found, missed = search.best.held_out, []
    low, signal = accuracy.agreement_low(found.agreement, search.images), search.min_sqnr_db
    if found.retention < search.min_retention:
        missing = search.min_retention - found.retention
        missed.append(f"retention {found.retention:.4f} by {missing:.4f} (of {search.min_retention:g})")
    if low < search.min_agreement:
        missing = search.min_agreement - low
        missed.append(
            f"agreement {found.agreement:.4f}, of whose interval the lower end is {low:.4f}, "
            f"by {missing:.4f} (of {search.min_agreement:.4g})"
        )
    if signal is not None and found.sqnr_db is not None and found.sqnr_db < signal:
        missed.append(f"signal {found.sqnr_db:.1f} dB by {signal - found.sqnr_db:.1f} (of {signal:g})")
    qat = any(one.recipe.qat for one in search.attempts)
    remedy = "ship another precision" if qat else "try --qat, or ship another precision"
    sentence = (
        f"misses what was asked for on {search.images} held-out images, with the best of "
        f"{len(search.attempts)} recipes: {' and '.join(missed)}; {remedy}"
    )
    return (sentence,)
