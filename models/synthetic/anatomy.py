"""Soft tissue and air of a healthy chest: torso, lungs, heart, diaphragm, vessels. No bone, no disease.

Attenuation is in arbitrary units: about 0 beside the patient, 0.3 through lung and 1 through the heart.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.synthetic.canvas import Field, Stroke, View, draw, edge, ellipse, ramp
from models.synthetic.patient import Patient

AIR_CONTRAST = 0.62  # what a full depth of lung takes away from the attenuation of solid tissue
_OTHER_SIDE = np.array([-1.0, 1.0], dtype=np.float32)
_VESSEL_STEP = 0.016  # film half-widths between the points of a vessel

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chest:
    """All fields are [size, size]."""

    tissue: Field  # attenuation if the chest were solid
    air: Field  # depth of lung in the beam, 0 to 1


def chest(view: View, patient: Patient, rng: np.random.Generator) -> Chest:
    """Compose the soft tissue of one patient; `rng` decides where vessels are."""
    x = view.x - patient.spine_bend * np.sin(2.5 * view.y) if patient.spine_bend else view.x
    aside = np.abs(x)
    inward = _inside_rib_cage(x, view.y, patient)
    above_dome = _above_dome(x, aside, view.y, patient)
    middle = _mediastinum(view, aside, patient)
    behind_dome = 0.16 * edge(above_dome + 0.16, 0.03)
    air = np.sqrt(np.maximum(inward, 0.0)) * (0.84 * edge(above_dome, 0.007) + behind_dome)
    air *= 1.0 - (0.93 * edge(middle, 0.010))
    tissue = _torso(view, patient) + 0.10 * edge(-above_dome, 0.012) * edge(inward, 0.08)
    tissue += 0.16 * edge(middle, 0.03) + _airways_and_hila(view, patient)
    tissue += _vessels(view, patient, rng) * air
    if patient.stomach_air:
        tissue -= _stomach_bubble(view, patient)
    if patient.breasts:
        tissue += _breasts(view, patient)
    return Chest(tissue, air)


def _inside_rib_cage(x: Field, y: Field, patient: Patient) -> Field:
    """1 on the axis of the cage, 0 on its wall, negative outside: a barrel with a rounded top."""
    across = (x + patient.turn * patient.chest_half_width) * (1.0 / patient.chest_half_width)
    inward: Field = 1.0 - across * across - cage_narrowing(y, patient)
    return inward


def cage_narrowing(y: Any, patient: Patient) -> Any:
    """Return the loss of squared cage width in the rounded top: 1 at the apex, 0 in the lower half.

    `y` may be an array of any shape and precision; the result has the same.
    """
    centre_y = 0.30
    up = np.minimum(y - centre_y, 0.0) * (1.0 / (centre_y - patient.apex_y))
    squared = up * up
    return squared * (0.62 + 0.38 * squared)


def _above_dome(x: Field, aside: Field, y: Field, patient: Patient) -> Field:
    offset = aside - 0.50 * patient.chest_half_width
    left = edge(x, 0.02)
    top = patient.right_dome_y + (patient.left_dome_y - patient.right_dome_y) * left
    above: Field = top + patient.dome_curvature * offset * offset - y
    return above


def _mediastinum(view: View, aside: Field, patient: Patient) -> Field:
    """Roughly the distance inside the outline of heart and great vessels."""
    half_width = patient.mediastinum_half_width
    radius = patient.heart_radius
    band = half_width - aside - 0.05 * np.tanh((view.y + 0.35) * 5.0)
    heart_y = patient.left_dome_y - 0.58 * radius
    heart = ellipse(view, (0.46 * radius, heart_y), (1.34 * radius, 0.78 * radius), patient.heart_tilt_rad)
    atrium = ellipse(view, (-0.20 * radius - 0.02, heart_y + 0.01), (0.50 * radius, 0.85 * radius))
    knob = ellipse(view, (half_width * 0.75, -0.30), (0.105, 0.11))
    trunk = ellipse(view, (half_width * 0.70, -0.12), (0.10, 0.14), 0.3)
    outline: Field = np.maximum(np.maximum(heart * (0.45 * radius), atrium * (0.3 * radius)), band)
    if patient.is_child:
        thymus = ellipse(view, (0.0, -0.28), (1.7 * half_width, 0.22))
        outline = np.maximum(outline, thymus * 0.08)
    else:
        outline = np.maximum(outline, np.maximum(knob, trunk) * 0.05)
    return outline


def _torso(view: View, patient: Patient) -> Field:
    neck = 0.20 if patient.is_child else 0.26
    half_width = neck + (patient.torso_half_width - neck) * edge(view.y - patient.shoulder_y, 0.07)
    across = view.x / half_width
    squared = across * across
    depth = np.sqrt(np.maximum(1.0 - squared * squared, 0.0))
    torso: Field = depth * (0.72 * patient.tissue + 0.05 * view.y)
    if patient.is_child:
        torso = np.maximum(torso, _raised_arms_and_chin(view, patient))
    return torso


def _raised_arms_and_chin(view: View, patient: Patient) -> Field:
    along = ramp(16)
    right = np.stack((0.55 + 0.75 * along, patient.shoulder_y + 0.16 - 0.55 * along), axis=-1)
    arms = draw(view, 0.12, [Stroke(np.stack((right, right * _OTHER_SIDE)), 0.62)])
    chin = ellipse(view, (0.0, patient.shoulder_y - 0.34), (0.36, 0.30))
    shadow: Field = np.minimum(arms, 0.62) + 0.7 * edge(chin, 0.16)
    return shadow


def _airways_and_hila(view: View, patient: Patient) -> Field:
    """The dark trachea and main bronchi, and the bright roots of the lungs."""
    down = ramp(48)
    trachea = np.stack((0.012 * down, -1.1 + 0.88 * down), axis=-1)
    right_bronchus = np.stack((0.012 - 0.15 * down, -0.22 + 0.15 * down), axis=-1)
    left_bronchus = np.stack((0.012 + 0.19 * down, -0.22 + 0.13 * down), axis=-1)
    right_hilum = np.stack((-0.17 - 0.05 * down, -0.17 + 0.22 * down), axis=-1)
    left_hilum = np.stack((0.19 + 0.05 * down, -0.20 + 0.20 * down), axis=-1)
    hila = 0.07 + 0.07 * patient.vessels
    curves = np.stack((trachea, right_bronchus, left_bronchus, right_hilum, left_hilum))
    peaks = np.array([-0.13, -0.05, -0.04, hila, hila], dtype=np.float32)
    return draw(view, 0.036, [Stroke(curves, peaks)])


def _stomach_bubble(view: View, patient: Patient) -> Field:
    bubble = ellipse(view, (0.34, patient.left_dome_y + 0.16), (0.18, 0.10), -0.15)
    return (0.28 * patient.stomach_air) * edge(bubble, 0.12)


def _breasts(view: View, patient: Patient) -> Field:
    shadow = np.zeros_like(view.x)
    for side in (-1.0, 1.0):
        outline = ellipse(view, (side * 0.47, 0.36), (0.36, 0.33))
        shadow += edge(outline, 0.06) * (view.y + 0.45)
    shadow *= 0.16 * patient.breasts
    return shadow


def _vessels(view: View, patient: Patient, rng: np.random.Generator) -> Field:
    """Two trees of vessels from the hila outwards, finer at each of two forks."""
    spread = np.linspace(-1.35, 1.35, 9)
    angle = np.concatenate((math.pi - spread, spread)) + rng.normal(0.0, 0.12, 18)
    start = np.repeat(np.array([[-0.17, -0.07], [0.20, -0.09]]), 9, axis=0)
    start += rng.normal(0.0, 1.0, (18, 2)) * (0.02, 0.07)
    length = rng.uniform(0.14, 0.30, 18)
    trunks, start, angle = _branches(rng, start, angle, length)
    start, angle = np.repeat(start, 2, axis=0), _forked(rng, angle)
    boughs, start, angle = _branches(rng, start, angle, rng.uniform(0.10, 0.24, 36))
    start, angle = np.repeat(start, 2, axis=0), _forked(rng, angle)
    twigs, _, _ = _branches(rng, start, angle, rng.uniform(0.06, 0.18, 72))
    trees = [
        Stroke(part, peak * patient.vessels) for part, peak in ((trunks, 0.22), (boughs, 0.14), (twigs, 0.08))
    ]
    shadows = draw(view, 0.0095, trees)
    saturated: Field = shadows / (1.0 + 2.0 * shadows)
    return saturated


def _forked(rng: np.random.Generator, angle: Numbers) -> Numbers:
    turns = np.stack((-rng.uniform(0.15, 0.55, len(angle)), rng.uniform(0.15, 0.55, len(angle))), axis=1)
    return (angle[:, None] + turns).reshape(-1)


def _branches(
    rng: np.random.Generator, start: Numbers, angle: Numbers, length: Numbers
) -> tuple[Field, Numbers, Numbers]:
    """Return curved branches [n, points, 2], their ends and their directions there."""
    bend = rng.normal(0.0, 0.25, len(angle))
    points = math.ceil(length.max() / _VESSEL_STEP) + 1
    along = ramp(points)
    heading = angle[:, None] + bend[:, None] * along
    steps = np.stack((np.cos(heading), np.sin(heading)), axis=-1) * (length[:, None, None] / (points - 1))
    steps[:, 0] = 0.0
    curves = start[:, None] + np.cumsum(steps, axis=1)
    return curves.astype(np.float32), curves[:, -1], angle + bend
