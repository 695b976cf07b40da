"""The findings that make a film positive: consolidation, interstitial pattern, effusion.

Every finding is an opacity: the share of the lung's air that it replaces, [size, size], 0 to 1. Grades range
from barely visible to obvious. The patterns imitate how such films look; no film here shows a disease.
"""

import math
from collections.abc import Callable

import numpy as np

from models.synthetic.canvas import Field, View, cloud, edge, ellipse
from models.synthetic.patient import Patient

DrawOpacity = Callable[[View, Patient, np.random.Generator], Field]


def random_findings(rng: np.random.Generator) -> tuple[str, ...]:
    """Return the findings of a positive film, in the order of FINDINGS: mostly one, rarely all three."""
    count = 1 + int(rng.random() < 0.30) + int(rng.random() < 0.08)
    chosen = rng.choice(len(FINDINGS), count, replace=False, p=_FREQUENCIES)
    return tuple(name for index, name in enumerate(FINDINGS) if index in chosen)


def opacities(names: tuple[str, ...], view: View, patient: Patient, rng: np.random.Generator) -> Field:
    """Return one opacity for each of FINDINGS, zero for those not in `names`: [findings, size, size]."""
    fields = np.zeros((len(FINDINGS), view.size, view.size), dtype=np.float32)
    for field, (name, draw_finding) in zip(fields, FINDINGS.items(), strict=True):
        if name in names:
            field[:] = draw_finding(view, patient, rng)
    return fields


def _grade(rng: np.random.Generator) -> float:
    """Return a grade: 0 is barely visible, 1 is obvious.

    A well-trained network misses some. If it missed none, no figure would show what quantisation breaks.
    """
    return 0.3 + 0.7 * float(rng.beta(1.8, 1.3))


def _consolidation(view: View, patient: Patient, rng: np.random.Generator) -> Field:
    """One to three patches with ragged borders, some of them with a straight edge along a fissure."""
    grade = _grade(rng)
    density = 0.42 + 0.48 * grade
    ragged = cloud(rng, view.size, 7)
    mottled = cloud(rng, view.size, 26)
    patches = np.zeros_like(view.x)
    for _ in range(1 + int(rng.random() < 0.3) + int(rng.random() < 0.15)):
        patches = np.maximum(patches, _patch(view, patient, ragged, grade, rng))
    patches *= density * np.clip(1.0 + 0.16 * mottled, 0.0, 1.15)
    return np.minimum(patches, 0.97)


def _patch(view: View, patient: Patient, ragged: Field, grade: float, rng: np.random.Generator) -> Field:
    side = 1.0 if rng.random() < 0.45 else -1.0
    centre_y = rng.uniform(-0.50, 0.42)
    centre_x = side * rng.uniform(0.34, 0.80) * patient.chest_half_width
    radius = (0.13 + 0.17 * grade) * math.exp(rng.normal(0.0, 0.25))
    shape = ellipse(
        view, (centre_x, centre_y), (radius * rng.uniform(0.8, 1.5), radius), rng.uniform(-0.8, 0.8)
    )
    patch = edge(np.maximum(shape, -6.0) + 0.45 * ragged, 0.22)
    if rng.random() < 0.3:
        fissure = (view.y - centre_y) + rng.uniform(-0.3, 0.3) * (view.x - centre_x)
        patch *= edge(fissure if rng.random() < 0.5 else -fissure, 0.012)
    return patch * edge(view.x * side - 0.02, 0.02)


def _interstitial(view: View, _: Patient, rng: np.random.Generator) -> Field:
    """A net of fine lines with some haze, stronger around the hila or near the bases."""
    grade = _grade(rng)
    net = np.exp(-5.0 * np.abs(cloud(rng, view.size, int(rng.integers(30, 46)))))
    net += 0.8 * np.exp(-5.0 * np.abs(cloud(rng, view.size, int(rng.integers(46, 64)))))
    if rng.random() < 0.5:
        where = edge(ellipse(view, (0.0, 0.0), (0.62, 0.70)), 0.35)
    else:
        where = edge(view.y - rng.uniform(-0.25, 0.15), 0.14)
    where = where * edge(1.0 + 0.8 * cloud(rng, view.size, 4), 0.4)
    strength = (0.44 + 0.46 * grade) * where
    return np.minimum(strength * (0.40 + 0.58 * net), 0.9)


def _effusion(view: View, patient: Patient, rng: np.random.Generator) -> Field:
    """Fluid at a base, its surface rising towards the chest wall; small ones only blunt the angle."""
    grade = _grade(rng)
    side = 1.0 if rng.random() < 0.5 else -1.0
    dome_y = patient.left_dome_y if side > 0 else patient.right_dome_y
    outwards = view.x * (side / patient.chest_half_width)
    rise = 0.10 + 0.36 * grade
    climbing = np.maximum(outwards, 0.0) ** 3
    level = dome_y + 0.04 - (0.60 * rise - 0.05) * min(1.0, 2.0 * grade) - rise * climbing
    fluid = edge(view.y - level + 0.012 * cloud(rng, view.size, 6), 0.022)
    return (0.60 + 0.36 * grade) * fluid * edge(outwards, 0.03)


FINDINGS: dict[str, DrawOpacity] = {
    "consolidation": _consolidation,
    "interstitial": _interstitial,
    "effusion": _effusion,
}
_FREQUENCIES = (0.45, 0.30, 0.25)
