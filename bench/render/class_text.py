"""Sentences about classes: which have no images, and which are confused. Pure."""

from bench.lists_in_words import some_of
from bench.report.class_tables import confusion_words
from bench.report.schema import BundleRecord, ClassConfusion, Report

_TWO_CLASSES = 2
_MOST_SHOWN = 3


def class_lines(report: Report) -> list[str]:
    """Return which classes have no images, and which are confused most; nothing where there are no classes.

    Of two classes, sensitivity and specificity say what is confused.
    """
    if report.evaluation is None or len(report.evaluation.reference_logits[0]) <= _TWO_CLASSES:
        return without_images(report)
    return [*without_images(report), *_confusions(report)]


def without_images(report: Report) -> list[str]:
    """Say which classes none of the evaluated images is of; nothing if there are none."""
    figures = next((run.accuracy for run in report.runs if run.accuracy is not None), None)
    bundle = report.bundle
    if figures is None or bundle is None or not figures.without_images:
        return []
    names = [f"'{bundle.class_name(index)}'" for index in figures.without_images]
    left_out = f"means over classes leave {'it' if len(names) == 1 else 'them'} out"
    return [f"none of the evaluation {bundle.samples} is of {some_of(names)}; {left_out}"]


def _confusions(report: Report) -> list[str]:
    """Return the most frequent confusions of any variant, each with the variant that has most of them."""
    bundle = report.bundle
    if bundle is None:
        return []
    worst: dict[tuple[int, int], tuple[ClassConfusion, str]] = {}
    for run in report.runs:
        for pair in () if run.accuracy is None else run.accuracy.confused:
            key = pair.index, pair.given_index
            if key not in worst or pair.images > worst[key][0].images:
                worst[key] = pair, run.case
    most = sorted(worst.values(), key=lambda entry: -entry[0].images)[:_MOST_SHOWN]
    listed = [f"{_words(bundle, pair)} {_whose(bundle, pair, case)}" for pair, case in most]
    return [f"most confused classes: {'; '.join(listed)}"] if listed else []


def _whose(bundle: BundleRecord, pair: ClassConfusion, case: str) -> str:
    """Say which variant confuses so many images, and how many the reference does."""
    if pair.images == pair.reference_images:
        return f"({case}, as the {bundle.reference})"
    return f"({case}; the {bundle.reference} {pair.reference_images})"


def _words(bundle: BundleRecord, pair: ClassConfusion) -> str:
    names = bundle.class_name(pair.index), bundle.class_name(pair.given_index)
    return confusion_words(*names, pair.images, pair.class_images)
