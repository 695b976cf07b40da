"""The usual mistakes in stating how an image becomes an input: what else it could be, one part at a time.

Pure; it reads no image.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.bundle.input_arrays import fits_type
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.stated_preprocessing import PRESETS, Geometry, Numbers, PresetName

_VALUES: Mapping[PresetName, str] = {
    "unit": "values from 0 to 1",
    "raw": "values from 0 to 255",
    "symmetric": "values from −1 to 1",
    "imagenet": "ImageNet's mean and std",
}
_GEOMETRIES: Mapping[str, Geometry] = {
    "the middle cut out (crop, 0.875)": Geometry("crop", crop_pct=0.875),
    "the aspect ratio lost (squash)": Geometry("squash"),
    "borders added (letterbox)": Geometry("letterbox"),
}


@dataclass(frozen=True)
class Rival:
    """Another way to prepare an image."""

    name: str
    """The way in words, such as `values from 0 to 255`."""
    preprocess: Preprocess
    """The same as data."""
    remedy: str
    """What to type if it is right."""


def rivals_of(preprocess: Preprocess, is_coloured: bool, dtype: str) -> tuple[Rival, ...]:
    """Return the rivals of a preprocessing: those that give another input, which `dtype` can hold.

    `is_coloured`: whether images have colours; in grey ones the order of the channels changes nothing.
    """
    candidates = [*_other_values(preprocess), *_other_geometries(preprocess)]
    if is_coloured and preprocess.channels != "grey":
        candidates.append(_other_order(preprocess))
    return tuple(rival for rival in candidates if fits_type(rival.preprocess, dtype))


def _other_values(preprocess: Preprocess) -> Iterator[Rival]:
    stated = Numbers(preprocess.scale, preprocess.mean, preprocess.std)
    for name, words in _VALUES.items():
        numbers = PRESETS[name].for_channels(len(preprocess.mean))
        if numbers is None:
            continue
        if not numbers.is_like(stated):
            changed = {"scale": numbers.scale, "mean": numbers.mean, "std": numbers.std}
            yield Rival(words, preprocess.model_copy(update=changed), f"--preprocess {name}")


def _other_geometries(preprocess: Preprocess) -> Iterator[Rival]:
    for words, geometry in _GEOMETRIES.items():
        if geometry.resize == preprocess.resize:
            continue
        changed = {"resize": geometry.resize, "crop_pct": geometry.crop_pct}
        crop_pct = f", crop_pct: {geometry.crop_pct:g}" if geometry.crop_pct < 1 else ""
        remedy = f"'preprocess: {{resize: {geometry.resize}{crop_pct}}}' in edgefit.yaml"
        yield Rival(words, preprocess.model_copy(update=changed), remedy)


def _other_order(preprocess: Preprocess) -> Rival:
    """Return the other order of the channels. Mean and std stay where they are, as they would if typed."""
    order = "rgb" if preprocess.channels == "bgr" else "bgr"
    return Rival(
        name=f"channels in the order {order.upper()}",
        preprocess=preprocess.model_copy(update={"channels": order}),
        remedy=f"'input: {{channels: {order}}}' in edgefit.yaml",
    )
