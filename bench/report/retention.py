"""Whether a variant keeps the reference's accuracy, or its answers. The budget and `choose` ask. Pure."""

from dataclasses import dataclass
from typing import Literal

from bench.statistics.accuracy import MIN_SQNR_DB, Paired, least_agreement
from bench.statistics.by_image import Changes

# By default the lower end of retention's interval may lie this far below the limit.
MARGIN = 0.01


@dataclass(frozen=True)
class RetentionCheck:
    """The result of a check of one variant's accuracy."""

    is_shown: bool
    """Whether it is shown to keep the accuracy."""
    is_lost: bool
    """Whether it is shown to lose accuracy. If neither is shown, more images would decide."""
    sentence: str
    """The figures and the conclusion; empty where no retention is required."""
    judged: Literal["retention", "agreement", "one class", "SQNR"] = "retention"
    """The value that decided."""


def check_retention(paired: Paired | None, min_retention: float, margin: float = MARGIN) -> RetentionCheck:
    """Check retention by its interval.

    Accuracy is shown to be kept if the lower end is at least the limit less the margin. It is lost if the
    upper end lies below that. In between, more images would decide. `paired` has the variant's predictions
    and the reference's, None where there are none.
    """
    least = min_retention - margin
    interval = None if paired is None else paired.retention_ci95()
    if paired is None or interval is None or paired.retention is None:
        return RetentionCheck(False, False, "not shown to keep the accuracy: its retention is unknown")
    figures = f"retention {paired.retention:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"
    if interval[0] >= least:
        return RetentionCheck(True, False, figures)
    if interval[1] < least:
        return RetentionCheck(False, True, f"loses accuracy: {figures}, whole interval below {least:g}")
    below = f"lower end below {least:g} ({min_retention:g} minus a margin of {margin:g})"
    sentence = f"not shown to keep the accuracy: {figures}, {below}; {_what_decides(paired, least)}"
    return RetentionCheck(False, False, sentence)


def check_agreement(changes: Changes, reference: str) -> RetentionCheck:
    """Check by its interval the share of decisions with the reference's class, where there are no labels.

    `reference`: what that is, such as `source`.
    """
    limit = least_agreement(changes.images)
    low, high = changes.interval
    figures = f"agreement {changes.agreement:.3f} ({low:.3f} to {high:.3f}) with the {reference}'s classes"
    if low >= limit:
        return RetentionCheck(True, False, figures, "agreement")
    if high < limit:
        sentence = f"loses agreement: {figures}, whole interval below {limit:.3g}"
        return RetentionCheck(False, True, sentence, "agreement")
    sentence = f"not shown to agree: {figures}, lower end below {limit:.3g}"
    return RetentionCheck(False, False, sentence, "agreement")


def check_values(sqnr_db: float | None, reference: str) -> RetentionCheck:
    """Check how far values of an output without classes are from the reference's; None: they are equal."""
    if sqnr_db is None:
        return RetentionCheck(True, False, f"exactly the {reference}'s values", "SQNR")
    figure = f"SQNR {sqnr_db:.1f} dB with the {reference}'s values as the signal"
    if sqnr_db >= MIN_SQNR_DB:
        return RetentionCheck(True, False, figure, "SQNR")
    return RetentionCheck(False, True, f"loses agreement: {figure}, below {MIN_SQNR_DB:g} dB", "SQNR")


def _what_decides(paired: Paired, least: float) -> str:
    needed = paired.images_to_decide(least)
    if needed is None:
        return "it is so close to the limit that no number of images would decide"
    return f"{needed} images like these {paired.images} would decide it"
