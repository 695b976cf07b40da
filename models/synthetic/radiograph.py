"""Made-up frontal chest radiographs by number. It knows which seed shows what, and nothing of networks.

Synthetic throughout: no patient, no clinical image and no clinical knowledge went in, and a score on these
films proves nothing clinical. They exist so that the whole job runs anywhere, offline, the same each time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.synthetic.anatomy import AIR_CONTRAST, chest
from models.synthetic.canvas import Field, View
from models.synthetic.devices import random_devices, random_marker
from models.synthetic.exposure import Pixels, develop, random_exposure
from models.synthetic.findings import opacities, random_findings
from models.synthetic.patient import random_patient, random_pose
from models.synthetic.skeleton import skeleton

CLASSES = ("normal", "pneumonia")

# Films that the starting checkpoint has seen never occur in a data set: the two ranges must not overlap.
DATASET_SEEDS = range(2**52)
CHECKPOINT_SEEDS = range(2**52, 2**52 + 2**32)
FILMS_PER_DATASET = 2**20


@dataclass(frozen=True)
class Radiograph:
    """`pixels`: uint8 [size, size]; `label`: 1 where there are findings, else 0; `findings`: their names."""

    pixels: Pixels
    label: int
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Charted:
    """A film with its truth.

    `air` [size, size]: the depth of lung were it healthy, 0 to 1; `opacities` [findings, size, size]: the
    share of it that each of FINDINGS replaces, or None on a normal film.
    """

    film: Radiograph
    air: Field
    opacities: Field | None


def dataset_seeds(dataset: int, count: int) -> range:
    """The first `count` seeds of data set number `dataset`; different data sets share no film."""
    start = dataset * FILMS_PER_DATASET
    if not 0 <= count <= FILMS_PER_DATASET or not 0 <= start < len(DATASET_SEEDS):
        raise ValueError(f"no {count} films in synthetic data set {dataset}")
    return DATASET_SEEDS[start : start + count]


def render(seed: int, size: int = 224) -> Radiograph:
    """The film of one seed: always the same pixels on one machine, the same patient at every size."""
    return render_charted(seed, size).film


def render_charted(seed: int, size: int) -> Charted:
    """The film of one seed, and where on it lung and findings lie."""
    whom, vessels, bones, what, worn, taken, grain = map(
        np.random.default_rng, np.random.SeedSequence(seed).spawn(7)
    )
    findings = random_findings(what) if what.random() < 0.5 else ()
    patient = random_patient(whom)
    view = View(size, random_pose(whom))
    body = chest(view, patient, vessels)
    lung, shares = body.air, None
    if findings:
        shares = opacities(findings, view, patient, what)
        lung = lung * (1.0 - shares).prod(axis=0)
    attenuation = body.tissue - AIR_CONTRAST * lung
    attenuation += skeleton(view, patient, bones) * (0.5 + 0.5 * body.air)
    attenuation += random_devices(view, patient, worn)
    marker = random_marker(view, worn)
    pixels = develop(attenuation, marker, random_exposure(taken), grain)
    return Charted(Radiograph(pixels, int(bool(findings)), findings), body.air, shares)


def render_many(
    seeds: Sequence[int], size: int, on_image: Callable[[], None] | None = None
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Films uint8 [n, size, size] and labels int64 [n] of the seeds; `on_image` is called after each."""
    _keep_freed_memory()
    pixels = np.empty((len(seeds), size, size), dtype=np.uint8)
    labels = np.empty(len(seeds), dtype=np.int64)
    for index, seed in enumerate(seeds):
        film = render(seed, size)
        pixels[index], labels[index] = film.pixels, film.label
        if on_image is not None:
            on_image()
    return pixels, labels


def _keep_freed_memory() -> None:
    """Free one large block: glibc then gives no freed memory of up to that size back to the system.

    A film passes through hundreds of short-lived fields, and paging each in anew costs a third of the time.
    """
    np.empty(2**24, dtype=np.uint8)
