"""Which classes a variant loses: the recall of their images, tested against the reference's. Pure."""

from collections.abc import Iterable, Sequence

from bench.statistics.accuracy import LOSS_ERROR
from bench.statistics.by_class import ClassPair
from bench.statistics.multiplicity import Hypothesis, hochberg

# At most this share of the reference's recall is left of a class that is mostly lost.
_MOSTLY_LOST = 0.5


def in_order(pairs: Iterable[ClassPair], positive: int | None) -> list[ClassPair]:
    """Return the classes with those first whose loss is a false negative.

    That is the positive class. Of several labels, it is the images that each label applies to.
    """
    return sorted(pairs, key=lambda pair: not _is_missed_first(pair, positive))


def lost_classes(pairs: Sequence[ClassPair], least: float, positive: int | None) -> list[ClassPair]:
    """Return the classes whose recall is lost, in the order of in_order.

    Its retention is below `least`, and an exact one-sided test of the images that changed says that this is
    no chance. Chance calls one of the classes lost at most with LOSS_ERROR. The positive class is tested by
    itself, so that changes of the other classes never hide that it is missed.
    """
    ordered = in_order(pairs, positive)
    first = [pair for pair in ordered if _is_missed_first(pair, positive)]
    return [pair for family in (first, ordered[len(first) :]) for pair in _significant(family, least)]


def suspected_losses(pairs: Sequence[ClassPair], least: float, positive: int | None) -> list[ClassPair]:
    """Return the classes that may be lost, though the test of all classes together does not say so.

    Their retention is below `least`. Alone, the test of one would be significant, or at least half of its
    recall is gone, on too few images for any test.
    """
    lost = {(pair.index, pair.applies) for pair in lost_classes(pairs, least, positive)}
    return [
        pair
        for pair in in_order(pairs, positive)
        if (pair.index, pair.applies) not in lost
        and (retention := pair.paired.retention) is not None
        and retention < least
        and (pair.loss_p() <= LOSS_ERROR or retention <= _MOSTLY_LOST)
    ]


def _is_missed_first(pair: ClassPair, positive: int | None) -> bool:
    return pair.applies and positive in (None, pair.index)


def hypotheses_of(family: Sequence[ClassPair]) -> list[Hypothesis]:
    """Return a hypothesis for each class of a family of one variant: that it is recognised as before."""
    return [Hypothesis(pair.loss_p(len(family)), pair.least_p(len(family))) for pair in family]


def _significant(family: Sequence[ClassPair], least: float) -> list[ClassPair]:
    flags = hochberg(hypotheses_of(family), LOSS_ERROR)
    return [
        pair
        for pair, is_significant in zip(family, flags, strict=True)
        if is_significant and (retention := pair.paired.retention) is not None and retention < least
    ]
