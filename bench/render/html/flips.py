"""The evaluation images that changed their class, with thumbnails for the page. Pure."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.report.schema import Report

# A reader views no more images, and a page with more would be too large for an e-mail.
MOST_IMAGES = 60
_THUMBNAIL_SIDE = 96


@dataclass(frozen=True)
class Flip:
    """An evaluation image that some variants classify differently from the fp32 network."""

    index: int
    """Its index in the evaluation pack."""
    label: str
    """Its right class."""
    reference: str
    """The fp32 network's class."""
    variants: tuple[tuple[str, str], ...]
    """The cases that give another class, each with that class."""
    image: str | None
    """The image as a `data:` address; None where images are not shown."""


def flips_of(report: Report, draw: Callable[[int], str] | None) -> list[Flip]:
    """Return the flipped images, ordered by their index in the evaluation pack. `draw` gives an image."""
    if report.bundle is None or report.evaluation is None:
        return []
    classes, evaluation = report.bundle.classes, report.evaluation
    variants = _variants_by_image(report, classes)
    return [
        Flip(
            index=index,
            label=classes[evaluation.labels[index]],
            reference=classes[int(np.argmax(evaluation.reference_logits[index]))],
            variants=tuple(variants[index]),
            image=draw(index) if draw is not None and shown < MOST_IMAGES else None,
        )
        for shown, index in enumerate(sorted(variants))
    ]


def _variants_by_image(report: Report, classes: Sequence[str]) -> dict[int, list[tuple[str, str]]]:
    """Return, by an image's index, the cases that give it another class, each with that class."""
    variants: dict[int, list[tuple[str, str]]] = {}
    for run in report.runs:
        logits = None if run.completed is None else run.completed.logits
        if run.accuracy is None or logits is None:
            continue
        for index in run.accuracy.flips:
            predicted = classes[int(np.argmax(logits[index]))]
            variants.setdefault(index, []).append((run.case, predicted))
    return variants


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """Return a uint8 image, grey [side, side] or RGB [side, side, 3], as a JPEG of at most 96 pixels."""
    picture = Image.fromarray(image)
    picture.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    out = io.BytesIO()
    # A PNG has three times the bytes, and a page may have sixty images for each of three devices.
    picture.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
