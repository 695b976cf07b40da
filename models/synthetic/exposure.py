"""From attenuation to grey values: scatter, dose, development, noise, framing. It knows no anatomy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.synthetic.canvas import Field, blurred, cloud, film_grid

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Exposure:
    """How one film was taken and developed."""

    scatter: float  # share of the signal that is scattered
    sharpness_width: float  # sigma of focal spot and motion, in film half-widths
    brightness: float  # grey level of the mid-tone, 0 to 1
    contrast: float
    slope: tuple[float, float]  # uneven beam across and down
    noise: float  # spread of the grey level where the beam is unhindered, at 224 pixels
    border: tuple[float, float, float, float]  # shutter at left, right, top, bottom, in film half-widths


def random_exposure(rng: np.random.Generator) -> Exposure:
    """Return a usable exposure: most are good, some are flat, dark, pale, noisy or blurred."""
    border = np.maximum(rng.uniform(-0.30, 0.08, 4), 0.0) if rng.random() < 0.25 else np.zeros(4)
    return Exposure(
        scatter=rng.uniform(0.05, 0.30),
        sharpness_width=float(rng.choice([0.004, 0.007, 0.012, 0.02], p=[0.4, 0.35, 0.17, 0.08])),
        brightness=rng.normal(0.53, 0.055),
        contrast=rng.uniform(0.75, 1.25),
        slope=(rng.normal(0.0, 0.03), rng.normal(0.0, 0.03)),
        noise=0.010 * float(np.exp(rng.normal(0.0, 0.4))),
        border=(float(border[0]), float(border[1]), float(border[2]), float(border[3])),
    )


def develop(attenuation: Field, marker: Field, exposure: Exposure, rng: np.random.Generator) -> Pixels:
    """Return grey values uint8 [size, size]; thick parts are bright, and noisy for lack of photons."""
    size = len(attenuation)
    across, down = film_grid(size)
    soft = blurred(attenuation, max(exposure.sharpness_width, 0.6 / size))
    soft += exposure.scatter * (blurred(attenuation, 0.25) - soft)
    soft += exposure.slope[0] * across + exposure.slope[1] * down
    signal = (soft - 0.62) * (2.1 * exposure.contrast)
    grey = 0.5 + 0.5 * np.tanh(signal)
    grey += (exposure.brightness - 0.5) * 4.0 * grey * (1.0 - grey)
    grey = 0.03 + 0.90 * grey + marker
    grain = _grain(size, rng) * exposure.noise * np.exp(0.6 * np.clip(soft, 0.0, 1.6))
    grey = _shuttered(grey, exposure) + grain
    pixels: Pixels = (np.clip(grey, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return pixels


def _grain(size: int, rng: np.random.Generator) -> Field:
    """Detector noise and a coarser mottle; a smaller film averages more of it away."""
    mottle = cloud(rng, size, 90)
    fine = rng.standard_normal((size, size), dtype=np.float32)
    return 0.5 * mottle + min(1.0, size / 224.0) * fine


def _shuttered(grey: Field, exposure: Exposure) -> Field:
    """Blacken the borders that the shutter covered."""
    left, right, top, bottom = exposure.border
    if not any(exposure.border):
        return grey
    across, down = film_grid(len(grey))
    lit = (across > left - 1) & (across < 1 - right) & (down > top - 1) & (down < 1 - bottom)
    return np.where(lit, grey, np.float32(0.02))
