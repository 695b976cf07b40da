"""Each class by itself: what a variant and the reference recognise of its images. Pure.

Accuracy hides a rare class: of 404 images of which 4 are ill, a network that finds none of them is right on
99 %. The share of a class's images that are recognised, its recall, does not.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bench.bundle.source_record import OutputKind
from bench.statistics.accuracy import Labels, Paired, predictions
from bench.statistics.metrics import Flags
from bench.statistics.multiplicity import exact_least_p
from bench.statistics.scores import Decisions

# A loss that would leave no trace in 1 of 20 samples of a class is called hidden.
_UNSEEN_ERROR = 0.05
# How many recalls are tried to find the largest probability.
_RECALLS = 1001
# McNemar's test is certain where more images than these are missed and none is newly recognised.
_MOST_VANISHED = 20


@dataclass(frozen=True)
class ClassPair:
    """What a variant and the reference recognise of the images of one class."""

    index: int
    """The class's number; of an output with several labels that of the label."""
    paired: Paired
    """Both, compared on the images of the class alone. It has no images if no label names the class."""
    applies: bool = True
    """False for the images to which one of several labels does not apply."""

    @property
    def images(self) -> int:
        """How many images the class has."""
        return self.paired.images

    @property
    def recall(self) -> float | None:
        """The share of its images that the variant recognises; None without images."""
        return self._share(self.paired.only_variant)

    @property
    def reference_recall(self) -> float | None:
        """The share of its images that the reference recognises; None without images."""
        return self._share(self.paired.only_reference)

    @property
    def changed(self) -> int:
        """How many images only one of the two recognises."""
        return self.paired.only_variant + self.paired.only_reference

    def loss_p(self, classes: int = 1) -> float:
        """Return the exact one-sided p-value: that the variant recognises as much as the reference.

        McNemar's test knows the changed images alone, and cannot reject before four of them are missed. A
        class of which the variant recognises nothing is tested by `vanishing_p` as well; of so many
        `classes`, any may vanish by chance (Bonferroni).
        """
        vanished = self._recognised_before if self.recall == 0 else 0
        return min(self.paired.loss_p(), classes * vanishing_p(vanished, self.images))

    def least_p(self, classes: int = 1) -> float:
        """Return the smallest value that `loss_p` can have with as many changed images."""
        before = self._recognised_before
        vanished = before if self.changed >= before else 0
        return min(exact_least_p(self.changed), classes * vanishing_p(vanished, self.images))

    @property
    def _recognised_before(self) -> int:
        return self.paired.both + self.paired.only_reference

    def _share(self, alone: int) -> float | None:
        return (self.paired.both + alone) / self.images if self.images else None


def pairs_by_class(
    variant: Decisions, reference: Decisions, labels: Labels, kind: OutputKind
) -> tuple[ClassPair, ...]:
    """Return a pair for every class of the output, in its order; `labels`: int64 [decisions].

    Of several labels each has two classes: the images that it applies to, whose share that is recognised is
    the label's recall, and the images that it does not apply to, whose share is its specificity. Accuracy
    over all labels shows the loss of neither, where most labels apply to few images. An image has one
    decision of each label, so the images of one class are independent, as for classes that exclude each
    other.
    """
    own, other = (predictions(side.scores) == labels for side in (variant, reference))
    if kind == "labels":
        return tuple(_of_labels(own, other, labels, variant.each))
    by_class = _by_right_answer(own, other, labels, variant.scores.shape[1])
    return tuple(ClassPair(index, paired) for index, paired in enumerate(by_class))


def _of_labels(own: Flags, other: Flags, labels: Labels, each: int) -> Iterator[ClassPair]:
    for at in range(each):
        absent, applying = _by_right_answer(own[at::each], other[at::each], labels[at::each], 2)
        yield ClassPair(at, applying)
        yield ClassPair(at, absent, applies=False)


def _by_right_answer(own: Flags, other: Flags, labels: Labels, classes: int) -> list[Paired]:
    """Compare what both get right among the decisions of each right answer."""
    images, both, only_own, only_other = (
        np.bincount(labels[chosen], minlength=classes)
        for chosen in (np.ones_like(own), own & other, own & ~other, other & ~own)
    )
    return [
        Paired(int(images[at]), int(both[at]), int(only_own[at]), int(only_other[at]))
        for at in range(classes)
    ]


@lru_cache(maxsize=1024)
def vanishing_p(recognised: int, images: int) -> float:
    """Return how likely one network recognises at least so many images of a class, and another none.

    It is the largest probability over all recalls, which both have (an unconditional exact test, as of
    Barnard, Biometrika 34, 1947). Of the same images both recognise the easy ones, so that in truth it is
    even less likely. From 4 images of which 3 were recognised: 0.023. It is 1 of more than 20 images, where
    McNemar's test suffices.
    """
    if not 1 <= recognised <= _MOST_VANISHED:
        return 1.0
    # The maximum lies where the second network recognises nothing with a probability above e^-recognised.
    recalls = -np.expm1(-np.linspace(0, recognised, _RECALLS)[1:] / images)
    fewer, share = np.zeros_like(recalls), (1 - recalls) ** images
    for count in range(recognised):
        fewer += share
        share = share * recalls / (1 - recalls) * ((images - count) / (count + 1))
    return float(((1 - fewer) * (1 - recalls) ** images).max())


def balanced_accuracy(recalls: Iterable[float | None]) -> float | None:
    """Return the mean of the recalls of the classes that have images; None if none has.

    Brodersen et al., The balanced accuracy and its posterior distribution, ICPR 2010.
    """
    known = [recall for recall in recalls if recall is not None]
    return sum(known) / len(known) if known else None


def hidden_loss(images: int) -> float:
    """Return the largest share of a class's recall that may be lost although none of its images changed.

    A loss of this share leaves no trace in one of 20 samples of so many images: the exact upper limit
    (Clopper and Pearson, Biometrika 26, 1934), near 3 ÷ images (the rule of three: Hanley and Lippman-Hand,
    JAMA 249, 1983). All of it without images.
    """
    return 1 - _UNSEEN_ERROR ** (1 / images) if images else 1.0


def images_to_show(min_retention: float) -> int | None:
    """Return how many unchanged images of a class show that its recall keeps at least this share.

    None for a share of 1, which no number of images shows.
    """
    if min_retention <= 0:
        return 1
    return None if min_retention >= 1 else math.ceil(math.log(_UNSEEN_ERROR) / math.log(min_retention))
