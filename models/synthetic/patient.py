"""The random measures of one imaginary patient. It knows no pixels.

The ranges were chosen by eye so that films look like chest radiographs. They are not anatomical statistics.
"""

import math
from dataclasses import dataclass

import numpy as np

from models.synthetic.canvas import Pose


@dataclass(frozen=True)
class Patient:
    """Measures in film half-widths in the patient's frame; strengths as shares of a typical strength."""

    is_child: bool
    chest_half_width: float
    apex_y: float
    right_dome_y: float
    left_dome_y: float
    dome_curvature: float
    heart_radius: float
    heart_tilt_rad: float
    mediastinum_half_width: float
    torso_half_width: float
    shoulder_y: float
    tissue: float
    bone: float
    vessels: float
    breasts: float
    scapulae: float
    stomach_air: float
    spine_bend: float
    turn: float  # the patient turned to one side: one lung looks wider than the other
    rib_gap: float


def random_patient(rng: np.random.Generator) -> Patient:
    """Return a patient. Two in five are children, with raised arms, a rounder heart and flatter ribs."""
    is_child = rng.random() < 0.4
    right_dome_y = rng.uniform(0.36, 0.62)
    return Patient(
        is_child=is_child,
        chest_half_width=rng.uniform(0.60, 0.74) if is_child else rng.uniform(0.68, 0.82),
        apex_y=rng.uniform(-0.80, -0.68),
        right_dome_y=right_dome_y,
        left_dome_y=right_dome_y + rng.uniform(-0.01, 0.09),
        dome_curvature=rng.uniform(0.5, 1.3),
        heart_radius=rng.uniform(0.25, 0.36) if is_child else rng.uniform(0.25, 0.39),
        heart_tilt_rad=rng.uniform(0.55, 1.0),
        mediastinum_half_width=rng.uniform(0.11, 0.17),
        torso_half_width=rng.uniform(0.76, 0.95) if is_child else rng.uniform(0.98, 1.3),
        shoulder_y=rng.uniform(-0.86, -0.68),
        tissue=rng.uniform(0.85, 1.2),
        bone=rng.uniform(0.55, 1.25),
        vessels=0.55 * math.exp(rng.normal(0.0, 0.4)),
        breasts=0.0 if is_child or rng.random() < 0.55 else rng.uniform(0.3, 1.0),
        scapulae=rng.uniform(0.0, 1.0),
        stomach_air=max(0.0, rng.uniform(-0.8, 1.0)),
        spine_bend=rng.normal(0.0, 0.02),
        turn=rng.normal(0.0, 0.05),
        rib_gap=rng.uniform(0.125, 0.155),
    )


def random_pose(rng: np.random.Generator) -> Pose:
    """Return a pose slightly off centre, turned in the plane of the film, near or far."""
    return Pose(
        rotation_rad=rng.normal(0.0, 0.045),
        scale=rng.uniform(0.98, 1.35),
        shift_x=rng.normal(0.0, 0.05),
        shift_y=rng.normal(0.06, 0.06),
    )
