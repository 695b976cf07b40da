"""The evaluation images that changed their class, with thumbnails for the page. Pure."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.report.predictions import Predictions
from bench.report.schema import Evaluation, Report
from bench.statistics.accuracy import predictions as classes_of

# A reader views no more images, and a page with more would be too large for an e-mail.
MOST_IMAGES = 60
MOST_LISTED = 1000
"""So many flips a page lists; all of 10^5 images would make it too large to open on a phone."""
_THUMBNAIL_SIDE = 96


@dataclass(frozen=True)
class Flip:
    """An evaluation image that some variants classify differently from the reference.

    Of several labels each one that changed is a flip of its own.
    """

    index: int
    """The image's index in the evaluation pack."""
    label: str | None
    """Its right class; None where nobody labelled it."""
    reference: str
    """The reference's class."""
    variants: tuple[tuple[str, str], ...]
    """The cases that give another class, each with that class."""
    image: str | None
    """The image as a `data:` address; None where images are not shown."""


@dataclass(frozen=True)
class Flips:
    """The flips of one report."""

    listed: tuple[Flip, ...] = ()
    """The first ones."""
    total: int = 0
    """How many there are."""


def flips_of(report: Report, draw: Callable[[int], str] | None) -> Flips:
    """Return the flipped images, ordered by their index in the evaluation pack. `draw` gives an image."""
    bundle, evaluation = report.bundle, report.evaluation
    if bundle is None or evaluation is None:
        return Flips()
    reference = Predictions.of(evaluation.reference_logits, evaluation)
    if reference is None:
        return Flips()
    decided, right = classes_of(reference.logits), reference.labels
    variants = _variants_by_decision(report, evaluation)
    labels = len(decided) // evaluation.images

    def name(at: int, given: int) -> str:
        if evaluation.output.kind == "labels":
            return f"{'' if given else 'not '}{bundle.class_name(at % labels)}"
        return bundle.class_name(given)

    listed = tuple(
        Flip(
            index=at // labels,
            label=None if right is None else name(at, int(right[at])),
            reference=name(at, int(decided[at])),
            variants=tuple((case, name(at, given)) for case, given in variants[at]),
            image=draw(at // labels) if draw is not None and shown < MOST_IMAGES else None,
        )
        for shown, at in enumerate(sorted(variants)[:MOST_LISTED])
    )
    return Flips(listed, len(variants))


def _variants_by_decision(report: Report, evaluation: Evaluation) -> dict[int, list[tuple[str, int]]]:
    """Return, by a decision's index, the cases that decide otherwise, each with its class."""
    variants: dict[int, list[tuple[str, int]]] = {}
    for run in report.runs:
        logits = None if run.completed is None else run.completed.logits
        own = None if logits is None else Predictions.of(logits, evaluation)
        if run.accuracy is None or own is None:
            continue
        decided = classes_of(own.logits)
        for at in run.accuracy.flips:
            variants.setdefault(at, []).append((run.case, int(decided[at])))
    return variants


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """Return a uint8 image, grey [side, side] or RGB [side, side, 3], as a JPEG of at most 96 pixels."""
    picture = Image.fromarray(image)
    picture.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    out = io.BytesIO()
    # A PNG has three times the bytes, and a page may have sixty images for each of three devices.
    picture.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
