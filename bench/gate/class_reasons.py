"""The gate's sentences about classes: what is missed comes first. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.bundle.source_record import OutputKind
from bench.gate.findings import Verdict
from bench.gate.reasons import percent
from bench.statistics.by_class import ClassPair, balanced_accuracy, hidden_loss, images_to_show
from bench.statistics.replication import Interval

_MOST_NAMED = 3
_TWO_CLASSES = 2
# Classes are balanced if the commonest has at most so many times the images of the rarest.
_BALANCED = 2


@dataclass(frozen=True)
class ClassNames:
    """What the classes, or the labels, of an output are called."""

    names: tuple[str, ...] = ()
    """The names in the order of the output; empty where nobody named them."""
    positive: int | None = None
    """The positive class, which sensitivity is about; None where there is none."""
    kind: OutputKind = "classes"
    """Whether they are classes or labels."""

    def name_of(self, pair: ClassPair) -> str:
        """Return the name of a class, or its number; of images without a label: not the label."""
        noun = "label" if self.kind == "labels" else "class"
        name = self.names[pair.index] if pair.index < len(self.names) else f"{noun} {pair.index}"
        return name if pair.applies else f"not {name}"

    def is_positive(self, pair: ClassPair) -> bool:
        """Tell whether it is the positive class, or the images to which a label applies."""
        return pair.applies if self.kind == "labels" else pair.index == self.positive

    def has_sensitivity(self, pair: ClassPair) -> bool:
        """Tell whether the recall of this class is called sensitivity."""
        return self.kind == "classes" and pair.index == self.positive

    def recall_words(self, pair: ClassPair) -> str:
        """Return what the recall of this class is called: sensitivity, with the positive class, or recall."""
        return f"sensitivity ({self.name_of(pair)})" if self.has_sensitivity(pair) else "recall"


def of_recall(pair: ClassPair, limit: float, verdict: Verdict, names: ClassNames) -> str:
    """Return how many images of a class are missed now, and what that means for its recall."""
    paired = pair.paired
    if not pair.changed:
        return f"the same ones of {pair.images} images recognised"
    gained = f", {paired.only_variant} newly recognised" if paired.only_variant else ""
    counts = f"{paired.only_reference} of {pair.images} images newly missed{gained}"
    figures = f"{names.recall_words(pair)} {_of_two(pair.recall, pair.reference_recall)}"
    if paired.retention is None:
        return f"{counts}; {figures}"
    kept = f"{paired.retention:.3f} of the baseline's, the limit is {limit:g}"
    sentence = f"{counts} (exact test p = {pair.loss_p():.2g}); {figures}; {kept}"
    return sentence + (_open(pair) if verdict is Verdict.UNDECIDED else "")


def _open(pair: ClassPair) -> str:
    decides = pair.paired.images_to_detect()
    like = f": at least {decides} images of the class, like these, would decide it"
    return "; not decided" + ("" if decides is None else like)


def beside_accuracy(pairs: Sequence[ClassPair], shares: tuple[float, float], names: ClassNames) -> str:
    """Return sensitivity, balanced accuracy and accuracy, as far as accuracy alone would mislead."""
    figures = [
        f"{names.recall_words(pair)} {_of_two(pair.recall, pair.reference_recall)}"
        for pair in pairs
        if names.has_sensitivity(pair) and pair.images
    ]
    if _needs_balance(pairs):
        after = balanced_accuracy(pair.recall for pair in pairs)
        before = balanced_accuracy(pair.reference_recall for pair in pairs)
        figures.append(f"balanced accuracy {_of_two(after, before)}")
    return "".join(
        f"; {figure}" for figure in [*figures, f"accuracy {_of_two(*reversed(shares))}"] if figures
    )


def _needs_balance(pairs: Sequence[ClassPair]) -> bool:
    images = [pair.images for pair in pairs if pair.images]
    return len(pairs) > _TWO_CLASSES or (bool(images) and max(images) > _BALANCED * min(images))


def _of_two(candidate: float | None, baseline: float | None) -> str:
    after, before = ("none" if share is None else f"{share:.3f}" for share in (candidate, baseline))
    return f"{after}, was {before}"


def of_other_predictions(share: float, interval: Interval, least: float) -> str:
    """Say that a gain in accuracy comes with too many changed predictions to be called better."""
    return (
        f"; not called better, because the agreement is {share:.3f} ({interval.low:.3f} to "
        f"{interval.high:.3f}) and its lower end must reach {least:.3g}: so many changes are another "
        "network's; look at the images that changed, and use it as the new baseline if that is intended"
    )


def on_classes(pairs: Iterable[ClassPair], names: ClassNames, min_retention: float) -> list[str]:
    """Return what can be said of no class: that it has no images, or so few that a loss may be hidden."""
    known = sorted(pairs, key=lambda pair: pair.images)
    needed = images_to_show(min_retention)
    total = sum(pair.images for pair in known if names.kind != "labels" or pair.index == 0)
    absent = [names.name_of(pair) for pair in known if not pair.images]
    few = [pair for pair in known if pair.images and (needed is None or pair.images < needed)]
    notes = [] if not absent else [f"no image of {_listed(absent)}: nothing can be claimed about it"]
    if few:
        lost, whose = f"{100 * hidden_loss(few[0].images):.0f} %", names.name_of(few[0])
        loss = f"nothing can be claimed about a loss below {lost} of the recall of {whose}"
        within = f"would show that a recall stays within {percent(1 - min_retention)}"
        number = "no number of images" if needed is None else f"{needed} images of a class"
        notes.append(f"{_counted(few, names)} of {total} images: {loss}; {number} {within}")
    return notes


def _counted(few: Sequence[ClassPair], names: ClassNames) -> str:
    if len(few) == 1:
        return f"{names.name_of(few[0])} has {few[0].images}"
    return f"few images for {_listed([f'{names.name_of(pair)} ({pair.images})' for pair in few])}"


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MOST_NAMED
    return ", ".join(words[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
