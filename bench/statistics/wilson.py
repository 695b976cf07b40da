"""Wilson's interval of a share. Pure."""

import math

Interval = tuple[float, float]
Z95 = 1.959964
"""The standard normal's 97.5 % point."""


def wilson_interval(count: float, images: float) -> Interval:
    """Return the 95 % interval of a share, `count` of `images`: Wilson's score interval (JASA 22, 1927).

    Fractions are effective numbers, of images that are not independent.
    """
    share, spread = count / images, Z95**2 / images
    centre = share + spread / 2
    half = math.sqrt(share * (1 - share) * spread + spread**2 / 4)
    return (centre - half) / (1 + spread), (centre + half) / (1 + spread)
