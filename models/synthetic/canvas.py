"""Soft shapes, strokes and clouds on a square film. It knows pixels and poses, and nothing of bodies or rays.

Positions are in the patient's frame: x grows to the right of the film, y downwards, and the middle of an
unmoved film is (0, 0) with its edges at -1 and 1. Everything is drawn from positions, never from pixel
indices, so that a patient looks the same at every size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

Field = npt.NDArray[np.float32]

_CANVAS_REACH = 1.1  # strokes are drawn slightly beyond the film, so that they do not end at its edge
_FINEST_CANVAS = 192  # cells across for the thinnest strokes
_WIDTHS_PER_OCTAVE = 12  # stroke widths are rounded to 6 %, so that few kernels are cached


@dataclass(frozen=True)
class Pose:
    """How the patient stands before the film: `scale` magnifies, shifts are in film half-widths."""

    rotation_rad: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0


@dataclass(frozen=True)
class Stroke:
    """Pen lines: `curves` [lines, points, 2] in the patient's frame, `peak` the height of one or of each.

    Neighbouring points must lie closer than twice the width they are drawn with.
    """

    curves: Field
    peak: Field | float


@dataclass(frozen=True)
class View:
    """A film of `size` × `size` pixels with a patient before it."""

    size: int
    pose: Pose

    @cached_property
    def x(self) -> Field:
        """The patient's x at every pixel, [size, size]."""
        return self._patient_frame[0]

    @cached_property
    def y(self) -> Field:
        """The patient's y at every pixel, [size, size]."""
        return self._patient_frame[1]

    @cached_property
    def _patient_frame(self) -> tuple[Field, Field]:
        across, down = film_grid(self.size)
        across, down = across - self.pose.shift_x, down - self.pose.shift_y
        cosine = math.cos(self.pose.rotation_rad) / self.pose.scale
        sine = math.sin(self.pose.rotation_rad) / self.pose.scale
        return cosine * across + sine * down, cosine * down - sine * across

    def to_film(self, points: Field) -> tuple[Field, Field]:
        """Patient positions [..., 2] as film positions: across [...] and down [...]."""
        cosine = self.pose.scale * math.cos(self.pose.rotation_rad)
        sine = self.pose.scale * math.sin(self.pose.rotation_rad)
        x, y = points[..., 0], points[..., 1]
        across: Field = np.add(cosine * x - sine * y, self.pose.shift_x)
        down: Field = np.add(sine * x + cosine * y, self.pose.shift_y)
        return across, down


@lru_cache(maxsize=32)
def film_grid(size: int) -> tuple[Field, Field]:
    """Film positions of the pixel centres: across [1, size] and down [size, 1]."""
    centres = ((np.arange(size) + 0.5) * (2.0 / size) - 1.0).astype(np.float32)
    return centres[None, :], centres[:, None]


@lru_cache(maxsize=64)
def ramp(points: int) -> Field:
    """0 to 1 in even steps: the parameter along a curve. [points], float32."""
    return np.linspace(0.0, 1.0, points, dtype=np.float32)


def edge(distance: Field, softness: float) -> Field:
    """Rises from 0 to 1 where `distance` passes zero; `softness` is the distance from 0.5 to 0.73."""
    rising: Field = np.tanh(distance * (0.5 / softness))
    rising += 1.0
    rising *= 0.5
    return rising


def ellipse(
    view: View, centre: tuple[float, float], radii: tuple[float, float], tilt_rad: float = 0.0
) -> Field:
    """1 at the centre, 0 on the ellipse, negative outside. [size, size]."""
    centre_x, centre_y = view.to_film(np.array(centre, dtype=np.float32))
    tilt = tilt_rad + view.pose.rotation_rad
    cosine, sine = math.cos(tilt), math.sin(tilt)
    along, beside = (radii[0] * view.pose.scale) ** -2, (radii[1] * view.pose.scale) ** -2
    across, down = film_grid(view.size)
    x, y = across - centre_x, down - centre_y
    # x² and y² are a row and a column: only their sum and the mixed term pass over the film.
    inside: Field = (2.0 * cosine * sine * (beside - along)) * x * y
    inside += 1.0 - (cosine * cosine * along + sine * sine * beside) * x * x
    inside -= (sine * sine * along + cosine * cosine * beside) * y * y
    return inside


def draw(view: View, width: float, strokes: Sequence[Stroke]) -> Field:
    """Strokes with a Gaussian profile of sigma `width`, [size, size].

    Crossing strokes add up, as shadows of overlapping things do. One call for many strokes is much cheaper
    than many calls.
    """
    sigma = width * view.pose.scale
    width_step = round(_WIDTHS_PER_OCTAVE * math.log2(sigma))
    cells = min(16 * math.ceil(2.1 / (16.0 * 2.0 ** (width_step / _WIDTHS_PER_OCTAVE))), _FINEST_CANVAS)
    kernel = _stroke_kernel(view.size, cells, width_step)
    dots = [_dots(view, stroke, math.sqrt(2.0 * math.pi) * sigma) for stroke in strokes]
    across, down, masses = (np.concatenate(parts) for parts in zip(*dots, strict=True))
    return _spread(_collect(across, down, masses, cells), kernel)


def cloud(rng: np.random.Generator, size: int, cells: int) -> Field:
    """A smooth random field of zero mean and about unit spread, with `cells` lumps across the film."""
    kernel = _cloud_kernel(size, cells)
    lumps = rng.standard_normal((cells + 4, cells + 4), dtype=np.float32)
    return _spread(lumps, kernel)


def blurred(field: Field, width: float) -> Field:
    """`field` behind a Gaussian of sigma `width` (in film half-widths), its border continued outwards."""
    stride = max(1, int(width * len(field) / 8.0))  # a wide blur needs few samples
    kernel = _blur_kernel(len(field), stride, round(_WIDTHS_PER_OCTAVE * math.log2(width)))
    return _spread(field[::stride, ::stride], kernel)


def _spread(field: Field, kernel: sparse.csr_array) -> Field:
    """`kernel` [size, cells] applied down and across `field` [cells, cells]. [size, size].

    Sparse on purpose: a dense product is slower, and its BLAS spins on every core it finds.
    """
    spread: Field = np.ascontiguousarray((kernel @ np.ascontiguousarray((kernel @ field).T)).T)
    return spread


def _without_tails(kernel: npt.NDArray[np.float64]) -> sparse.csr_array:
    """The kernel without what is below a ten-thousandth of its peak."""
    return sparse.csr_array(np.where(kernel > 1e-4 * kernel.max(), kernel, 0.0).astype(np.float32))


def _dots(view: View, stroke: Stroke, breadth: float) -> tuple[Field, Field, Field]:
    """The points of a stroke as film positions across and down, each with the mass of its piece of line."""
    across, down = view.to_film(stroke.curves)
    step_x, step_y = across[:, 1:] - across[:, :-1], down[:, 1:] - down[:, :-1]
    half_steps = np.sqrt(step_x * step_x + step_y * step_y) * (0.5 * breadth)
    masses = np.zeros_like(across)
    masses[:, 1:] = half_steps
    masses[:, :-1] += half_steps
    masses *= np.reshape(stroke.peak, (-1, 1))
    return across.reshape(-1), down.reshape(-1), masses.reshape(-1)


def _collect(across: Field, down: Field, masses: Field, cells: int) -> Field:
    """Share each point's mass among its four neighbours on a square of `cells` × `cells`."""
    right, below = (
        (position + _CANVAS_REACH) * (cells / (2.0 * _CANVAS_REACH)) - 0.5 for position in (across, down)
    )
    kept = (right >= 0) & (right < cells - 1) & (below >= 0) & (below < cells - 1)
    right, below, masses = right[kept], below[kept], masses[kept]
    column, row = right.astype(np.int64), below.astype(np.int64)
    right, below = right - column, below - row
    lower = masses * below
    upper = masses - lower
    lower_right, upper_right = lower * right, upper * right
    first = row * cells + column
    index = np.concatenate((first, first + 1, first + cells, first + cells + 1))
    share = np.concatenate((upper - upper_right, upper_right, lower - lower_right, lower_right))
    return np.bincount(index, share, cells * cells).reshape(cells, cells).astype(np.float32)


@lru_cache(maxsize=512)
def _stroke_kernel(size: int, cells: int, width_step: int) -> sparse.csr_array:
    """A Gaussian of unit area around each canvas cell, at each pixel, half a pixel wider. [size, cells]."""
    sigma = math.hypot(2.0 ** (width_step / _WIDTHS_PER_OCTAVE), 0.9 / size)
    pixels = film_grid(size)[1]
    centres = ((np.arange(cells) + 0.5) * (2.0 / cells) - 1.0) * _CANVAS_REACH
    kernel = np.exp(-0.5 * ((pixels - centres) / sigma) ** 2) / (math.sqrt(2.0 * math.pi) * sigma)
    return _without_tails(kernel)


@lru_cache(maxsize=256)
def _cloud_kernel(size: int, cells: int) -> sparse.csr_array:
    """Gaussian interpolation from lumps (two beyond each edge) to pixels, rows of unit length."""
    pixels = (film_grid(size)[1] + 1.0) * (0.5 * cells)
    lumps = np.arange(cells + 4) - 1.5
    kernel = np.exp(-0.5 * ((pixels - lumps) / 0.6) ** 2)
    return _without_tails(kernel / np.linalg.norm(kernel, axis=1, keepdims=True))


@lru_cache(maxsize=256)
def _blur_kernel(size: int, stride: int, width_step: int) -> sparse.csr_array:
    sigma = 2.0 ** (width_step / _WIDTHS_PER_OCTAVE)
    pixels = film_grid(size)[1]
    kernel = np.exp(-0.5 * ((pixels - pixels[::stride].T) / sigma) ** 2)
    return _without_tails(kernel / kernel.sum(axis=1, keepdims=True))
