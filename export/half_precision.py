"""Which weights an fp16 artifact stores in half precision: one rule for all formats. It knows only shapes.

On a CPU without half arithmetic fp16 can only mean weights stored in half and computed in float. Rounding all
of them costs accuracy for nothing: depthwise weights, the first few layers and biases are 4 % of a
MobileNetV2's bytes and nearly all of the error. With ImageNet weights fine-tuned on PneumoniaMNIST at 96x96
(two networks) leaving them in float raised the SQNR from 44 and 35 dB to 60 and 62 dB, and no image of 624
changed its class any more (before: 3 and 1), at 0.52 of the fp32 bytes instead of 0.50.
"""

from collections.abc import Sequence
from math import prod

_FEWEST_ELEMENTS = 4096

METHOD = (
    f"dense weights of {_FEWEST_ELEMENTS} elements and more stored in half, "
    "depthwise ones and the rest in float; computed in float"
)


def is_stored_in_half(shape: Sequence[int]) -> bool:
    """Tell it of a weight [out, in, …]; depthwise ones have 1 for `in`, in every format."""
    return len(shape) >= 2 and shape[1] > 1 and prod(shape) >= _FEWEST_ELEMENTS
