"""Warnings about the classes that a row loses. Pure: values in, sentences out."""

from bench.report.class_recall import Classes
from bench.report.retention import MARGIN
from device_profiles.settings import Budget


def lost_class_warnings(classes: Classes | None, budget: Budget) -> list[str]:
    """Return a sentence for each class that a row loses, the positive one first.

    A class is lost by the rule of `choose`, which refuses such a variant. Without a limit of retention every
    significant loss counts.
    """
    if classes is None:
        return []
    least = 1.0 if budget.retention is None else budget.retention - MARGIN
    lost = [f"loses {classes.loss(pair)}: ship another variant" for pair in classes.lost(least)]
    few = "too few to decide: evaluate more of them"
    return lost + [f"may lose {classes.loss(pair)}, {few}" for pair in classes.suspected(least)]
