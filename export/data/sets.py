"""Divides samples in three sets, by a data set's own splits or at random: stratified, each patient in one.

It knows labels, splits and patients, and reads nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.errors import InputError
from export.data.listing import Indices, Listing, SampleLimits
from export.data.stratified import strata_of, stratified_order
from models.sources.options import SPLIT_SEED
from models.sources.splitting import split_off

# The range of an activation over fewer samples is chance.
FEWEST_CALIBRATION = 8
# A share of one sample is 0 or 100 %.
FEWEST_COMPARED = 2
# Kaggle's chest_xray has 16 validation images, on which recipes cannot be told apart.
FEWEST_VALIDATION = 50
# A class with fewer samples cannot have some in each set.
_FEWEST_OF_STRATUM = 5
_CALIBRATION_SHARE = 0.2
# As many calibrate int8 well; a small data set gives up to a third of its samples for it.
_ENOUGH_CALIBRATION = 64
# Of so many times the samples that are read, the sets are as good as of millions.
_ENOUGH_TIMES = 8


@dataclass(frozen=True)
class Sets:
    """The indices of three sets of samples that have none in common."""

    calibration: Indices
    held_out: Indices
    evaluation: Indices
    notes: tuple[str, ...] = ()
    """How the samples were divided: sentences."""
    warnings: tuple[str, ...] = ()
    """What of them is probably not meant so: sentences."""

    @property
    def every(self) -> Indices:
        """The indices of all of them."""
        return np.concatenate([self.calibration, self.held_out, self.evaluation])


def divided(listing: Listing, limits: SampleLimits) -> Sets:
    """Return the samples of the three sets, each in an order of which every prefix is about stratified.

    A data set's own splits are used: train for calibration, val held out, test for evaluation. A missing one
    is split off, always in the same way. Nothing is evaluated on train where test, or a val that is large
    enough, exists.
    """
    sets = _by_splits(listing, limits)
    sets = _without_known_patients(listing, sets)
    strata = strata_of(listing.labels, len(listing))
    return Sets(
        calibration=_ordered(sets.calibration, strata, limits.calibration),
        held_out=_ordered(sets.held_out, strata, limits.held_out),
        evaluation=_ordered(sets.evaluation, strata, limits.evaluation),
        notes=sets.notes,
        warnings=sets.warnings,
    )


def _ordered(indices: Indices, strata: npt.NDArray[np.int64], most: int) -> Indices:
    return indices[stratified_order(strata[indices], most)]


@dataclass(frozen=True)
class _Divider:
    """Splits off parts of the samples of a listing."""

    listing: Listing
    limits: SampleLimits

    def off(self, pool: Indices, count: float) -> tuple[Indices, Indices]:
        """Return the remaining samples of a pool, and about `count` others, stratified and by patient."""
        groups = [self.listing.patients[index] or f"\0{index}" for index in pool.tolist()]
        remaining, chosen = split_off(self._strata(pool), groups, count / max(1, len(pool)), SPLIT_SEED)
        return pool[remaining], pool[chosen]

    def _strata(self, pool: Indices) -> npt.NDArray[np.int64]:
        """Return the stratum of each sample of a pool, numbered without gaps; small ones are one together."""
        strata = strata_of(self.listing.labels, len(self.listing))[pool]
        sizes = np.bincount(strata)
        common = np.where(sizes[strata] < _FEWEST_OF_STRATUM, len(sizes), strata)
        return strata_of(common, len(pool))

    def _thinned(self, pool: Indices) -> Indices:
        """Return a random part of a pool that is far larger than needed: dividing all would take long."""
        order = stratified_order(self._strata(pool), _ENOUGH_TIMES * self.limits.total)
        return pool[np.sort(order)]

    def halves(self, every: Indices) -> tuple[Indices, Indices]:
        """Return the samples to evaluate, and those to hold out: at most half, and not more than needed."""
        pool = self._thinned(every)
        return self.off(pool, min(self.limits.held_out, len(pool) / 2))

    def three(self, every: Indices, notes: tuple[str, ...]) -> Sets:
        """Return three sets of one pool."""
        pool = self._thinned(every)
        # The numbers of all strata are rounded, so that their sum may be half a sample per stratum too low.
        spare = len(np.unique(self._strata(pool))) // 2
        least = FEWEST_CALIBRATION + spare
        share = max(_CALIBRATION_SHARE * len(pool), min(_ENOUGH_CALIBRATION, len(pool) / 3), least)
        most = min(self.limits.calibration + spare, len(pool) - 2 * FEWEST_COMPARED)
        rest, calibration = self.off(pool, max(0, min(share, most)))
        evaluation, held_out = self.halves(rest)
        return Sets(calibration, held_out, evaluation, notes)


def _by_splits(listing: Listing, limits: SampleLimits) -> Sets:
    splits = np.array(listing.splits)
    train, validation, test = (np.flatnonzero(splits == name) for name in ("train", "val", "test"))
    how, divider = _how(listing), _Divider(listing, limits)
    notes: tuple[str, ...] = ()
    if len(train) and 0 < len(validation) < FEWEST_VALIDATION:
        notes = (_small_validation(len(validation)),)
        train, validation = np.sort(np.concatenate([train, validation])), validation[:0]
    match bool(len(train)), bool(len(validation)), bool(len(test)):
        case True, True, True:
            return Sets(train, validation, test, notes)
        case True, True, False:
            evaluation, held_out = divider.halves(validation)
            return Sets(train, held_out, evaluation, (*notes, _divided("test", "val", how)))
        case True, False, True:
            calibration, held_out = divider.halves(train)
            return Sets(calibration, held_out, test, (*notes, _divided("val", "train", how)))
        case False, True, True:
            calibration, held_out = divider.halves(validation)
            return Sets(calibration, held_out, test, (*notes, _divided("train", "val", how)))
        case _:
            return divider.three(np.arange(len(listing)), (*notes, _one_pool(listing, how)))


def _small_validation(count: int) -> str:
    return f"val has fewer than {FEWEST_VALIDATION} samples ({count}): they were added to train."


def _divided(missing: str, source: str, how: str) -> str:
    purpose = "evaluation" if missing == "test" else "calibration"
    return f"The data has no {missing} split: {source} was divided for comparison and {purpose}{how}."


def _one_pool(listing: Listing, how: str) -> str:
    name = next((split for split in ("train", "val", "test") if split in listing.splits), None)
    stated = "The data has no splits" if name is None else f"The data has {name} alone"
    trained = (
        ""
        if name in ("val", "test") or listing.labels is None
        else " If the network was trained on these samples, its accuracy on them is too good."
    )
    return f"{stated}: its samples were divided for calibration, comparison and evaluation{how}.{trained}"


def _how(listing: Listing) -> str:
    stratified = ", stratified" if listing.labels is not None else ", at random"
    known = sum(patient is not None for patient in listing.patients)
    if not known:
        return f"{stratified} (nothing tells the patients, so each sample stands alone)"
    return f"{stratified} and by patient ({listing.patients_from} tell that of {known} of {len(listing)})"


def _without_known_patients(listing: Listing, sets: Sets) -> Sets:
    kept = without_common(sets, listing.patients)
    left_out = len(sets.every) - len(kept.every)
    if not left_out:
        return sets
    known = f"by {listing.patients_from}"
    sentence = f"Samples of patients ({known}) that a later split has as well: {left_out} left out."
    return replace(kept, warnings=(*sets.warnings, sentence))


def without_common(sets: Sets, keys: Sequence[str | None]) -> Sets:
    """Return the sets without samples that share a key with a later set: calibration, held out, evaluation.

    `keys`: for each sample of the data set; None shares nothing.
    """
    codes = _codes(keys)
    held_out = _not_in(sets.held_out, sets.evaluation, codes)
    later = np.concatenate([held_out, sets.evaluation])
    return replace(sets, calibration=_not_in(sets.calibration, later, codes), held_out=held_out)


def _codes(keys: Sequence[str | None]) -> npt.NDArray[np.int64]:
    """Return a number for each key; -1 for None."""
    numbers: dict[str, int] = {}
    return np.array(
        [-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64
    )


def _not_in(indices: Indices, later: Indices, codes: npt.NDArray[np.int64]) -> Indices:
    own = codes[indices]
    return indices[(own < 0) | ~np.isin(own, codes[later])]


def refuse_too_few(listing: Listing, sets: Sets, limits: SampleLimits) -> None:
    """Raise InputError if a set has too few samples to say anything."""
    for name, indices, least in (
        ("calibration", sets.calibration, min(FEWEST_CALIBRATION, limits.calibration)),
        ("comparing int8 recipes", sets.held_out, FEWEST_COMPARED),
        ("evaluation", sets.evaluation, FEWEST_COMPARED),
    ):
        if len(indices) < least:
            needed = FEWEST_CALIBRATION + 2 * FEWEST_COMPARED
            raise InputError(
                f"{listing.where}: of its {len(listing)} samples {len(indices)} are left for {name}, and at "
                f"least {least} are needed there ({needed} in all); samples of one patient, and equal ones, "
                "stay together: give more samples"
            )
