"""Renders synthetic frontal chest radiographs by their seed. It knows nothing of networks.

No patient, no clinical image and no clinical knowledge is in them, and a score on these films proves nothing
clinical. With them every step of edgefit runs anywhere, offline, with the same result each time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.synthetic.anatomy import AIR_CONTRAST, chest
from models.synthetic.canvas import Field, View
from models.synthetic.exposure import Pixels, develop, random_exposure
from models.synthetic.lines_and_tubes import random_devices, random_marker
from models.synthetic.opacities import opacities, random_findings
from models.synthetic.patient import random_patient, random_pose
from models.synthetic.skeleton import skeleton

CLASSES = ("normal", "pneumonia")

# The bundled weights were trained on films that occur in no data set: the two ranges must not overlap.
DATASET_SEEDS = range(2**52)
CHECKPOINT_SEEDS = range(2**52, 2**52 + 2**32)
FILMS_PER_DATASET = 2**20


@dataclass(frozen=True)
class Radiograph:
    """A film."""

    pixels: Pixels
    """uint8 [size, size]."""
    label: int
    """1 if there are findings, otherwise 0."""
    findings: tuple[str, ...]
    """The names of the findings."""


@dataclass(frozen=True)
class Charted:
    """A film with its ground truth."""

    film: Radiograph
    air: Field
    """The depth of lung if it were healthy: [size, size], 0 to 1."""
    opacities: Field | None
    """The share of the air that each of FINDINGS replaces, [findings, size, size]; None on a normal film."""


def dataset_seeds(dataset: int, count: int) -> range:
    """Return the first `count` seeds of data set number `dataset`; different data sets share no film."""
    start = dataset * FILMS_PER_DATASET
    if not 0 <= count <= FILMS_PER_DATASET or not 0 <= start < len(DATASET_SEEDS):
        raise ValueError(f"there are no {count} films in synthetic data set {dataset}")
    return DATASET_SEEDS[start : start + count]


def render(seed: int, size: int = 224) -> Radiograph:
    """Render the film of a seed: the same pixels each time on one machine, the same patient at every size."""
    return render_charted(seed, size).film


def render_charted(seed: int, size: int) -> Charted:
    """Render the film of a seed, with the places of lung and findings."""
    person, vessels, bones, disease, devices, exposure, grain = map(
        np.random.default_rng, np.random.SeedSequence(seed).spawn(7)
    )
    findings = random_findings(disease) if disease.random() < 0.5 else ()
    patient = random_patient(person)
    view = View(size, random_pose(person))
    body = chest(view, patient, vessels)
    lung, shares = body.air, None
    if findings:
        shares = opacities(findings, view, patient, disease)
        lung = lung * (1.0 - shares).prod(axis=0)
    attenuation = body.tissue - AIR_CONTRAST * lung
    attenuation += skeleton(view, patient, bones) * (0.5 + 0.5 * body.air)
    attenuation += random_devices(view, patient, devices)
    marker = random_marker(view, devices)
    pixels = develop(attenuation, marker, random_exposure(exposure), grain)
    return Charted(Radiograph(pixels, int(bool(findings)), findings), body.air, shares)


def render_many(
    seeds: Sequence[int], size: int, on_image: Callable[[], None] | None = None
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Render films uint8 [n, size, size] with labels int64 [n]; `on_image` is called after each film."""
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
    """Free one large block: after that glibc returns no freed block of up to that size to the system.

    Rendering a film allocates hundreds of short-lived fields. Paging in each of them takes a third of the
    time.
    """
    np.empty(2**24, dtype=np.uint8)
