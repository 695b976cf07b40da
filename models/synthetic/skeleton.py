"""Draws the bones of the chest: ribs, clavicles, spine, scapulae, arms. It knows their shadows only."""

import math

import numpy as np

from models.synthetic.anatomy import Numbers, cage_narrowing
from models.synthetic.canvas import Field, Stroke, View, draw, edge, ramp
from models.synthetic.patient import Patient

_RIBS = 10
_OTHER_SIDE = np.array([-1.0, 1.0], dtype=np.float32)


def skeleton(view: View, patient: Patient, rng: np.random.Generator) -> Field:
    """Return the attenuation of all bones, [size, size]; `rng` makes each rib a little different."""
    back, front = _rib_curves(patient, rng)
    clavicles = _clavicles(patient, rng)
    bodies = draw(
        view, 0.020, [Stroke(back[:, ::2], 1.15), Stroke(front[:, ::2], 0.55), Stroke(clavicles, 2.1)]
    )
    bones: Field = 0.19 * (1.0 - np.exp(-1.4 * bodies))
    ribs = [_borders(back, 0.024, 0.075), _borders(front, 0.031, 0.05)]
    bones += draw(
        view, 0.0075, [*ribs, _borders(clavicles, 0.024, 0.1), _pedicles(patient), _scapulae(patient)]
    )
    bones += _spine(view, patient)
    bones += draw(view, 0.07, _blades_and_arms(patient))
    bones *= patient.bone
    return bones


def _borders(curves: Field, half_width: float, peak: float) -> Stroke:
    """Return both borders of long bones: they are brighter than the middle, like those of a hollow tube."""
    tangent = np.gradient(curves, axis=1)
    normal = np.stack((-tangent[..., 1], tangent[..., 0]), axis=-1)
    normal *= half_width / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    return Stroke(np.concatenate((curves - normal, curves + normal)), peak)


def _rib_curves(patient: Patient, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return the back and front halves of the ribs of both sides, each [2 × ribs, points, 2]."""
    number = np.tile(np.arange(_RIBS), 2)[:, None]
    side = np.repeat([1.0, -1.0], _RIBS)[:, None]
    root_y = patient.apex_y - 0.06 + patient.rib_gap * number + rng.normal(0.0, 0.006, (2 * _RIBS, 1))
    flatness = 0.65 if patient.is_child else 1.0
    fall = flatness * (0.10 + 0.034 * number) + rng.normal(0.0, 0.012, (2 * _RIBS, 1))
    wall = _wall(root_y + fall, patient) + 0.01
    t = ramp(60)[None, :]
    back_x = 0.07 + (wall - 0.07) * np.sin(0.5 * math.pi * t)
    back_y = root_y - 0.05 * np.sin(math.pi * np.minimum(1.3 * t, 1.0)) + fall * t**2.3
    reach = rng.uniform(0.36, 0.46, (2 * _RIBS, 1))
    front_x = wall - np.maximum(wall - reach, 0.05) * (1.0 - np.cos(0.5 * math.pi * t))
    front_y = root_y + fall + flatness * (0.12 + 0.03 * number) * np.sin(0.5 * math.pi * t)
    middle = -patient.turn * patient.chest_half_width
    back = np.stack((side * back_x + middle, back_y), axis=-1)
    front = np.stack((side * front_x + middle, front_y), axis=-1)
    return back.astype(np.float32), front[number[:, 0] < _RIBS - 2].astype(np.float32)


def _wall(y: Numbers, patient: Patient) -> Numbers:
    """Return the half width of the rib cage at a height."""
    squared_share: Numbers = np.maximum(1.0 - cage_narrowing(y, patient), 0.02)
    return patient.chest_half_width * np.sqrt(squared_share)


def _clavicles(patient: Patient, rng: np.random.Generator) -> Field:
    t = ramp(60)
    curves = []
    for side in (1.0, -1.0):
        lift = rng.uniform(0.02, 0.20) + (0.08 if patient.is_child else 0.0)
        x = 0.07 + (0.72 * patient.chest_half_width + 0.12) * t
        y = patient.apex_y + 0.16 - lift * t + 0.05 * np.sin(2.0 * math.pi * t)
        curves.append(np.stack((side * x, y), axis=-1))
    return np.stack(curves).astype(np.float32)


def _spine(view: View, patient: Patient) -> Field:
    """A column of vertebrae with darker discs between."""
    x = view.x - patient.spine_bend * np.sin(2.5 * view.y)
    column = edge(0.075 - np.abs(x), 0.008)
    discs = edge(np.cos(view.y * (2.0 * math.pi / (0.92 * patient.rib_gap))) - 0.75, 0.12)
    spine: Field = 0.15 * column * (1.0 - 0.5 * discs)
    return spine


def _pedicles(patient: Patient) -> Stroke:
    """Two bright dots in each vertebra."""
    gap = 0.92 * patient.rib_gap
    rows = np.arange(-1.0 + 0.5 * gap, 1.2, gap, dtype=np.float32)
    along = np.linspace(-0.012, 0.012, 4, dtype=np.float32)
    dots = np.stack(np.broadcast_arrays(np.float32(0.048), rows[:, None] + along), axis=-1)
    return Stroke(np.concatenate((dots, dots * _OTHER_SIDE)), 0.10)


def _scapulae(patient: Patient) -> Stroke:
    t = ramp(80)
    border = np.stack((_scapula_x(patient) + 0.05 * np.sin(3.0 * t), -0.62 + 0.62 * t), axis=-1)[None]
    return Stroke(np.concatenate((border, border * _OTHER_SIDE)), 0.14)


def _blades_and_arms(patient: Patient) -> list[Stroke]:
    """Shoulder blades and the heads of the upper arms, as soft shadows."""
    t = ramp(16)
    blade = np.stack((_scapula_x(patient) + 0.10 + 0.10 * t, -0.55 + 0.40 * t), axis=-1)
    head = np.stack((0.98 + 0.05 * t, -0.62 + 0.05 * t), axis=-1)
    shadows = np.stack((blade, head))
    return [Stroke(shadows, 0.12), Stroke(shadows * _OTHER_SIDE, 0.12)]


def _scapula_x(patient: Patient) -> float:
    return patient.chest_half_width * (1.02 - 0.22 * patient.scapulae)
