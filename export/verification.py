"""Verifies that an artifact gives the outputs of the fp32 network. Pure functions on logits."""

from dataclasses import dataclass

from bench.bundle.manifest import ArtifactRecord, VerificationRecord
from bench.bundle.recipe import Search
from bench.bundle.variants import Precision
from bench.statistics import accuracy
from bench.statistics.accuracy import Labels, Logits


@dataclass(frozen=True)
class VerificationLimits:
    """The limits that a correct artifact keeps."""

    images: int | None
    """How many images of the pack it is run on, from the first; None: all."""
    largest_difference: float | None
    """The largest difference of a logit; None: no limit."""
    agreement: float
    """The smallest top-1 agreement. One more image may differ, so that a single image decides nothing."""


# fp32: the same arithmetic in another order of summation. 3e-5 is usual; a wrong layer changes logits by ≥ 1.
# fp16: rounding to 11 bits gives an SQNR near 60 dB; one image in 100 allows for unsure networks.
# int8: good recipes stay above 0.95. The same class for every image, or overflow, is far below.
LIMITS = {
    Precision.FP32: VerificationLimits(images=128, largest_difference=1e-3, agreement=0.99),
    Precision.FP16: VerificationLimits(images=128, largest_difference=None, agreement=0.99),
    Precision.INT8: VerificationLimits(images=None, largest_difference=None, agreement=0.90),
}


class WrongArtifactError(Exception):
    """An artifact whose outputs are not the network's. Its files must not be kept."""


def verify(precision: Precision, logits: Logits, reference: Logits, labels: Labels) -> VerificationRecord:
    """Compare logits [n, classes] with the fp32 network's; raises WrongArtifactError beyond LIMITS."""
    if logits.shape != reference.shape:
        raise WrongArtifactError(
            f"its logits have the shape {logits.shape}, but the fp32 network's have {reference.shape}"
        )
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
        raise WrongArtifactError("its logits are not finite")
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
    """Say by how much an int8 artifact misses the goal of its search; nothing if it meets the goal."""
    search = artifact.search
    if search is None or search.meets_goal:
        return ()
    is_trained = any(attempt.recipe.qat for attempt in search.attempts)
    remedy = "ship another precision" if is_trained else "try --qat, or ship another precision"
    sentence = (
        f"int8 misses its goal on {search.images} held-out images, with the best of "
        f"{len(search.attempts)} recipes: {'; '.join(_shortfalls(search))}; {remedy}"
    )
    return (sentence,)


def _shortfalls(search: Search) -> list[str]:
    result, shortfalls = search.best.held_out, []
    low = accuracy.agreement_low(result.agreement, search.images)
    if result.retention < search.min_retention:
        shortfalls.append(f"retention is {result.retention:.4f} instead of {search.min_retention:g}")
    if low < search.min_agreement:
        shortfalls.append(
            f"agreement is {result.agreement:.4f}, and the lower end of its interval is {low:.4f} "
            f"instead of {search.min_agreement:.4g}"
        )
    limit = search.min_sqnr_db
    if limit is not None and result.sqnr_db is not None and result.sqnr_db < limit:
        shortfalls.append(f"SQNR is {result.sqnr_db:.1f} dB instead of {limit:g}")
    return shortfalls
