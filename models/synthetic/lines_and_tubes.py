"""Objects on a film that are not part of the patient: tubes, lines, leads, a side marker.

It knows no disease.
"""

import math

import numpy as np

from models.synthetic.canvas import Field, Stroke, View, draw, edge, ramp
from models.synthetic.patient import Patient


def random_devices(view: View, patient: Patient, rng: np.random.Generator) -> Field:
    """Return the attenuation of the devices, [size, size]; they are as frequent without findings."""
    lines: list[Stroke] = []
    if rng.random() < 0.22:
        lines.append(_breathing_tube(rng))
    if rng.random() < 0.20:
        lines.append(_feeding_tube(patient, rng))
    if rng.random() < 0.25:
        lines.append(_central_line(rng))
    if rng.random() < 0.35:
        lines.extend(_leads(rng))
    has_pacemaker = rng.random() < 0.05
    if has_pacemaker:
        lines.append(_pacemaker_lead())
    shadows = draw(view, 0.006, lines) if lines else np.zeros_like(view.x)
    return shadows + _pacemaker(view, rng) if has_pacemaker else shadows


def random_marker(view: View, rng: np.random.Generator) -> Field:
    """A lead letter in an upper corner, L or R as strokes; zero where the film has none. [size, size]."""
    if rng.random() < 0.5:
        return np.zeros_like(view.x)
    height = rng.uniform(0.035, 0.065)
    is_left = rng.random() < 0.5
    corner = np.array(
        [rng.uniform(0.72, 0.88) * (1 if is_left else -1), rng.uniform(-0.9, -0.45)], dtype=np.float32
    )
    letter = _LETTER_L if is_left else _LETTER_R
    return draw(view, 0.010, [Stroke(corner + height * letter, rng.uniform(0.5, 1.4))])


def _letter(corners: list[tuple[float, float]]) -> Field:
    """A pen line through `corners` as one curve [1, points, 2]."""
    path = np.array(corners, dtype=np.float32)
    position = np.linspace(0.0, len(path) - 1.0, 80)
    knots = np.arange(len(path))
    columns = [np.interp(position, knots, path[:, axis]) for axis in (0, 1)]
    return np.stack(columns, axis=-1)[None].astype(np.float32)


_LETTER_L = _letter([(-0.5, -1.0), (-0.5, 1.0), (0.6, 1.0)])
_LETTER_R = _letter(
    [(-0.5, 1.0), (-0.5, -1.0), (0.3, -1.0), (0.55, -0.5), (0.3, 0.0), (-0.4, 0.0), (0.6, 1.0)]
)


def _breathing_tube(rng: np.random.Generator) -> Stroke:
    t = ramp(80)
    tip_y = rng.uniform(-0.50, -0.25)
    centre = rng.normal(0.0, 0.01) + 0.02 * np.sin(2.0 * t)
    walls = [np.stack((centre + offset, -1.2 + (tip_y + 1.2) * t), axis=-1) for offset in (-0.017, 0.017)]
    return Stroke(np.stack(walls).astype(np.float32), 0.13)


def _feeding_tube(patient: Patient, rng: np.random.Generator) -> Stroke:
    t = ramp(170)
    bend = rng.uniform(0.1, 0.4)
    x = 0.015 + 0.02 * np.sin(5.0 * t) + bend * np.maximum(t - 0.72, 0.0) / 0.28
    y = -1.2 + (patient.left_dome_y + 1.45) * t
    return Stroke(np.stack((x, y), axis=-1)[None].astype(np.float32), 0.17)


def _central_line(rng: np.random.Generator) -> Stroke:
    """From the arm or the neck to the great vein right of the spine."""
    t = ramp(180)
    side = -1.0 if rng.random() < 0.75 else 1.0
    start_x, start_y = (side * 0.9, -0.25) if rng.random() < 0.5 else (side * 0.28, -1.1)
    tip_y = rng.uniform(-0.2, 0.08)
    smooth = t * t * (3.0 - 2.0 * t)
    x = start_x + (-0.10 - start_x) * np.minimum(1.6 * smooth, 1.0)
    y = start_y + (tip_y - start_y) * t - 0.35 * np.sin(math.pi * t) * abs(start_x)
    return Stroke(np.stack((x, y), axis=-1)[None].astype(np.float32), 0.14)


def _leads(rng: np.random.Generator) -> list[Stroke]:
    """Two to four electrodes, each a small ring with a stud, and a wire hanging off the film."""
    count = int(rng.integers(2, 5))
    centres = np.stack((rng.uniform(-0.7, 0.7, count), rng.uniform(-0.6, 0.55, count)), axis=-1)
    turn = np.linspace(0.0, 2.0 * math.pi, 24)
    ring = np.stack((np.cos(turn), np.sin(turn)), axis=-1)
    rings = centres[:, None] + rng.uniform(0.022, 0.034) * ring
    studs = centres[:, None] + 0.008 * ring
    t = ramp(170)[None, :, None]
    ends = np.stack((rng.uniform(-1.3, 1.3, count), rng.choice([-1.25, 1.25], count)), axis=-1)
    sway = rng.normal(0.0, 0.16, (count, 1, 2)) * np.sin(math.pi * t)
    wires = centres[:, None] * (1.0 - t) + ends[:, None] * t + sway
    stickers = np.concatenate((rings, studs))
    return [Stroke(stickers.astype(np.float32), 0.13), Stroke(wires.astype(np.float32), 0.13)]


def _pacemaker(view: View, rng: np.random.Generator) -> Field:
    x, y = (view.x - rng.uniform(0.42, 0.58)) * 10.0, (view.y + rng.uniform(0.42, 0.55)) * 12.0
    outline: Field = np.subtract(1.0 - np.square(x * x), np.square(y * y))
    return 0.9 * edge(outline, 0.08)


def _pacemaker_lead() -> Stroke:
    t = ramp(160)
    x = 0.46 - 0.62 * np.sin(0.5 * math.pi * np.minimum(1.5 * t, 1.0)) + 0.42 * np.maximum(t - 0.6, 0.0)
    y = -0.52 + 0.75 * t**1.4
    return Stroke(np.stack((x, y), axis=-1)[None].astype(np.float32), 0.2)
