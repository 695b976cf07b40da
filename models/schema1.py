"""Run folders of schema 1, whose preprocessing was sentences. It knows the sentences, and reads no file."""

from collections.abc import Mapping
from typing import Any

from user_files.versions import is_schema_1

# The only ones that were ever written.
_PREPROCESSING = {
    "sixteen_bit": "value / 65535",
    "transparency": "ignored",
    "resize": "to image_size x image_size, aspect ratio not kept",
    "interpolation": "bilinear, antialiased (Pillow)",
    "stored_as": "uint8",
    "grey_to_rgb": "repeated in three channels",
    "scale": "value / 255",
    "layout": "NCHW float32 in [0, 1]",
    "normalisation": "inside the network",
}


def upgraded(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's record with its preprocessing as schema 2 has it.

    Sentences that no version wrote stay as they are: reading them will say so.
    """
    if not is_schema_1(record) or record.get("preprocessing") != _PREPROCESSING:
        return dict(record)
    return {**record, "preprocessing": {}}
