"""Which images changed their class in which variants. It has images only where it is given them. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.render.sentences import row_names
from bench.report.schema import Report

# As many images as a reader looks at; with more of them a page would no longer fit into a message.
MOST_IMAGES = 60


@dataclass(frozen=True)
class Flip:
    """An evaluation image to which some variants give another class than the fp32 network does.

    `label` and `reference` are classes; `variants`: each with the class it gives; `image`: a `data:` address.
    """

    index: int
    label: str
    reference: str
    variants: tuple[tuple[str, str], ...]
    image: str | None


def flips_of(report: Report, thumbnail: Callable[[int], str] | None) -> list[Flip]:
    """Return the flipped images by their index in the evaluation pack; `thumbnail` gives their images."""
    names, classes = row_names(report), report.bundle.classes
    given: dict[int, list[tuple[str, str]]] = {}
    for run in report.runs:
        if run.accuracy is None or run.raw is None or run.raw.logits is None:
            continue
        for index in run.accuracy.flips:
            predicted = int(np.argmax(run.raw.logits[index]))
            given.setdefault(index, []).append((names[run.case], classes[predicted]))
    found: list[Flip] = []
    for index in sorted(given):
        found.append(
            Flip(
                index=index,
                label=classes[report.evaluation.labels[index]],
                reference=classes[int(np.argmax(report.evaluation.reference_logits[index]))],
                variants=tuple(given[index]),
                image=thumbnail(index) if thumbnail is not None and len(found) < MOST_IMAGES else None,
            )
        )
    return found
