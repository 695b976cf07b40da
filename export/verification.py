"""Verifies that an artifact gives the outputs of its source. Pure functions on arrays."""

from dataclasses import dataclass

import numpy as np

from bench.bundle.manifest import ArtifactRecord, VerificationRecord
from bench.bundle.recipe import Search
from bench.bundle.source_record import OutputRecord
from bench.bundle.variants import Precision
from bench.errors import first_sentence
from bench.statistics import accuracy
from bench.statistics.accuracy import Labels, Logits, Paired
from bench.statistics.by_class import ClassPair, pairs_by_class
from bench.statistics.scores import decisions
from export.half_precision import LARGEST_HALF
from export.quantisation.search import MOST_CPU_SECONDS, is_mostly_int8, least_in_int8


@dataclass(frozen=True)
class VerificationLimits:
    """The limits that a correct artifact keeps."""

    images: int | None
    """How many images of the pack it is run on, from the first; None: all."""
    largest_difference: float | None
    """The largest difference of a value, relative to the largest value where that is above 1; None: no
    limit."""
    agreement: float
    """The smallest top-1 agreement. One more image may differ, so that a single image decides nothing."""
    sqnr_db: float
    """The smallest SQNR of an output without classes."""


# fp32: the same arithmetic in another order of summation. 3e-5 is usual; a wrong layer changes logits by ≥ 1.
# fp16: rounding to 11 bits gives an SQNR near 60 dB; one image in 100 allows for unsure networks.
# int8: good recipes stay above 0.95. The same class for every image, or overflow, is far below.
LIMITS = {
    Precision.FP32: VerificationLimits(images=128, largest_difference=1e-3, agreement=0.99, sqnr_db=40),
    Precision.FP16: VerificationLimits(images=128, largest_difference=None, agreement=0.99, sqnr_db=30),
    Precision.INT8: VerificationLimits(images=None, largest_difference=None, agreement=0.90, sqnr_db=10),
}


class WrongArtifactError(Exception):
    """An artifact whose outputs are not the source's. Its files must not be kept."""


def verify(
    precision: Precision, values: Logits, reference: Logits, labels: Labels | None, output: OutputRecord
) -> VerificationRecord:
    """Compare values [n, values] with the source's; raises WrongArtifactError beyond LIMITS."""
    if values.shape != reference.shape:
        raise WrongArtifactError(
            f"its outputs have the shape {list(values.shape)}, but the source's have {list(reference.shape)}"
        )
    difference = accuracy.largest_difference(values, reference)
    _check_values(precision, difference, reference)
    compared = compare(values, reference, labels, output)
    _check_decisions(precision, compared, len(values))
    pair = compared.pair
    return VerificationRecord(
        images=len(values),
        largest_difference=difference,
        sqnr_db=compared.sqnr_db,
        agreement=compared.agreement,
        flips=compared.flips,
        retention=None if pair is None else pair.retention,
        retention_ci95=None if pair is None else pair.retention_ci95(),
        mcnemar_p=None if pair is None else pair.mcnemar_p(),
    )


@dataclass(frozen=True)
class ComparedOutputs:
    """An artifact's outputs compared with the source's."""

    sqnr_db: float | None
    """The signal to quantisation noise ratio; None if there is no error at all."""
    agreement: float | None
    """The share of decisions that are the same; None without classes."""
    flips: tuple[int, ...]
    """The indices of the decisions that differ."""
    pair: Paired | None
    """Which decisions of both are right; None without labels."""
    classes: tuple[ClassPair, ...] = ()
    """The same for each class by itself."""


def compare(
    values: Logits, reference: Logits, labels: Labels | None, output: OutputRecord
) -> ComparedOutputs:
    """Compare values [n, values] with the source's; the retention is None where that is never right."""
    sqnr_db = accuracy.sqnr_db(values, reference)
    own, right = decisions(values, labels, output), decisions(reference, labels, output)
    if own is None or right is None:
        return ComparedOutputs(sqnr_db, None, (), None)
    pair = None if own.labels is None else accuracy.pair(own.scores, right.scores, own.labels, own.each)
    return ComparedOutputs(
        sqnr_db,
        accuracy.agreement(own.scores, right.scores),
        tuple(accuracy.flips(own.scores, right.scores)),
        pair,
        () if own.labels is None else pairs_by_class(own, right, own.labels, output.kind),
    )


def _check_values(precision: Precision, difference: float, reference: Logits) -> None:
    if difference == float("inf"):
        raise WrongArtifactError("its outputs are not finite")
    limit = LIMITS[precision].largest_difference
    largest = max(1.0, float(np.abs(reference).max()))
    if limit is not None and difference > limit * largest:
        raise WrongArtifactError(
            f"its largest difference from the source's outputs is {difference:.2g} on {len(reference)} "
            f"images, more than {limit * largest:.2g}"
        )


def _check_decisions(precision: Precision, compared: ComparedOutputs, images: int) -> None:
    limits, agreement, sqnr_db = LIMITS[precision], compared.agreement, compared.sqnr_db
    if agreement is not None and agreement < limits.agreement - 1 / images:
        raise WrongArtifactError(
            f"it predicts the source's class on {agreement:.1%} of {images} images, "
            f"fewer than {limits.agreement:.0%}"
        )
    if agreement is None and sqnr_db is not None and sqnr_db < limits.sqnr_db:
        raise WrongArtifactError(
            f"the SQNR of its outputs is {sqnr_db:.1f} dB on {images} samples, "
            f"less than {limits.sqnr_db:g} dB"
        )


def warnings_of(artifact: ArtifactRecord) -> tuple[str, ...]:
    """Say which recipes of an int8 artifact failed, and by how much it misses the goal of its search; and of
    an fp16 artifact that rounding does not explain its outputs."""
    search = artifact.search
    if search is None:
        return _more_than_rounding(artifact)
    return (*_failures(search), *(() if search.meets_goal else (_missed_goal(search), *_untried(search))))


def _more_than_rounding(artifact: ArtifactRecord) -> tuple[str, ...]:
    """Say that an fp16 artifact is far less exact than half precision is, though it predicts the same."""
    sqnr_db, usual = artifact.verification.sqnr_db, LIMITS[Precision.FP16].sqnr_db
    if artifact.precision is not Precision.FP16 or sqnr_db is None or sqnr_db >= usual:
        return ()
    sentence = (
        f"fp16 changes its outputs by more than rounding does: SQNR is {sqnr_db:.1f} dB instead of "
        f"{usual:g}; values may exceed {LARGEST_HALF}, the largest number of half precision; ship another "
        "precision"
    )
    return (sentence,)


def _failures(search: Search) -> tuple[str, ...]:
    if not search.failed:
        return ()
    tried = len(search.failed) + len(search.attempts)
    reasons = dict.fromkeys(first_sentence(failed.message) for failed in search.failed)
    sentence = (
        f"{len(search.failed)} of {tried} int8 recipes failed and were passed over ({'; '.join(reasons)}); "
        "the others were compared"
    )
    return (sentence,)


def _untried(search: Search) -> tuple[str, ...]:
    """Say that the search ended for want of time."""
    if not search.untried:
        return ()
    more = "another recipe was" if search.untried == 1 else f"{search.untried} more recipes were"
    sentence = (
        f"{more} not tried, because a search takes at most {MOST_CPU_SECONDS / 60:g} minutes of CPU time, "
        "of which so heavy a network needs much for each"
    )
    return (sentence,)


def _missed_goal(search: Search) -> str:
    recipes = [attempt.recipe for attempt in search.attempts]
    is_trainable = any(recipe.corrected for recipe in recipes) and not any(recipe.qat for recipe in recipes)
    remedy = "try --qat, or ship another precision" if is_trainable else "ship another precision"
    return (
        f"int8 misses its goal on {search.images} held-out images, with the best of "
        f"{len(search.attempts)} recipes: {'; '.join(_shortfalls(search))}; {remedy}"
    )


def _shortfalls(search: Search) -> list[str]:
    result, shortfalls = search.best.held_out, []
    if result.retention is not None and result.retention < search.min_retention:
        shortfalls.append(f"retention is {result.retention:.4f} instead of {search.min_retention:g}")
    if result.agreement is not None:
        low = accuracy.agreement_low(result.agreement, search.images)
        if low < search.min_agreement:
            shortfalls.append(
                f"agreement is {result.agreement:.4f}, and the lower end of its interval is {low:.4f} "
                f"instead of {search.min_agreement:.4g}"
            )
    shortfalls += [
        f"recall of class '{lost.name}' is {lost.recall:.2f} instead of {lost.reference_recall:.2f} on "
        f"{lost.images} images"
        for lost in result.lost_classes
    ]
    if not is_mostly_int8(search.best) and search.best.share_in_int8 is not None:
        shortfalls.append(
            f"{search.best.share_in_int8:.0%} of the multiply-accumulates run in int8 instead of "
            f"{least_in_int8(search.best):.0%}"
        )
    limit = search.min_sqnr_db
    if limit is not None and result.sqnr_db is not None and result.sqnr_db < limit:
        shortfalls.append(f"SQNR is {result.sqnr_db:.1f} dB instead of {limit:g}")
    return shortfalls
