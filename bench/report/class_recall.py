"""What is said of the classes that a variant loses, and of those with too few images. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.predictions import Predictions
from bench.report.schema import BundleRecord, ClassAccuracy, Evaluation
from bench.statistics.by_class import ClassPair, images_to_show
from bench.statistics.class_losses import in_order, lost_classes, suspected_losses

_MOST_NAMED = 3


@dataclass(frozen=True)
class Classes:
    """The classes of a bundle, with what a variant and the reference recognise of each."""

    bundle: BundleRecord
    """The bundle, which names them."""
    pairs: tuple[ClassPair, ...]
    """Each class. The positive one is the first."""
    positive: int | None
    """The positive class; None if there is none."""

    @classmethod
    def of(
        cls, bundle: BundleRecord | None, evaluation: Evaluation | None, predictions: Predictions | None
    ) -> "Classes | None":
        """Return the classes of a row; None where nobody labelled its images, or it was not evaluated."""
        if bundle is None or evaluation is None or predictions is None or predictions.labels is None:
            return None
        pairs = predictions.by_class(evaluation.output.kind)
        positive = evaluation.positive_class
        return cls(bundle, tuple(in_order(pairs, positive)), positive)

    def lost(self, least: float) -> list[ClassPair]:
        """Return the classes that the variant loses; see lost_classes."""
        return lost_classes(self.pairs, least, self.positive)

    def suspected(self, least: float) -> list[ClassPair]:
        """Return the classes that the variant may lose; see suspected_losses."""
        return suspected_losses(self.pairs, least, self.positive)

    def is_positive(self, pair: ClassPair) -> bool:
        """Tell whether it is the positive class."""
        return self.positive is not None and pair.index == self.positive

    def words(self, pair: ClassPair) -> str:
        """Return a class's name in quotes."""
        return f"'{named(self.bundle, pair)}'"

    def loss(self, pair: ClassPair) -> str:
        """Say how much of a class the variant recognises instead of how much."""
        assert pair.recall is not None
        assert pair.reference_recall is not None
        shares = f"recall {pair.recall:.2f} instead of {pair.reference_recall:.2f}"
        return f"class {self.words(pair)}: {shares} on {self._counted(pair)}"

    def _counted(self, pair: ClassPair) -> str:
        samples = self.bundle.samples
        return f"{pair.images} {samples.removesuffix('s') if pair.images == 1 else samples}"

    def too_few(self, least: float) -> str | None:
        """Say which classes have too few images to show that they keep their recall; None if none has."""
        needed = images_to_show(least)
        few = [pair for pair in self.pairs if needed is None or pair.images < needed]
        if not few or needed is None:
            return None
        samples = self.bundle.samples
        few.sort(key=lambda pair: (not self.is_positive(pair), pair.images))
        listed = [f"{self.words(pair)} ({self._counted(pair)})" for pair in few[:_MOST_NAMED]]
        more = [f"{len(few) - _MOST_NAMED} more classes"] if len(few) > _MOST_NAMED else []
        each = "it" if len(few) == 1 else "each"
        sentence = f"too few {samples} to show that a class keeps its recall: {', '.join([*listed, *more])}"
        return f"{sentence}; {needed} of {each}, all classified as before, would show it"


def named(bundle: BundleRecord, class_: ClassPair | ClassAccuracy) -> str:
    """Return the name of a class; of several labels, also of the images that one does not apply to."""
    return f"{'' if class_.applies else 'not '}{bundle.class_name(class_.index)}"


def is_unbalanced(images: Sequence[int]) -> bool:
    """Tell whether accuracy hides classes: one has over twice the images of another."""
    return bool(images) and max(images) > 2 * min(images)
