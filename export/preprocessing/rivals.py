"""The usual mistakes in stating how an image becomes an input: what else it could be.

Values, the order of channels and the way to resize are changed apart and together, since with one of them
wrong the others may tell nothing. Pure; it reads no image.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
class Change:
    """One part of a preprocessing that could be otherwise."""

    words: str
    """What it would be, such as `values from 0 to 255`."""
    fields: Mapping[str, Any]
    """The keys of Preprocess that change."""
    remedy: str
    """What to type if it is right."""


@dataclass(frozen=True)
class Rival:
    """Another way to prepare an image."""

    preprocess: Preprocess
    """The way."""
    changes: tuple[Change, ...]
    """In what it differs from the stated one."""

    @property
    def name(self) -> str:
        """The way in words: what differs."""
        return " and ".join(change.words for change in self.changes)

    @property
    def remedy(self) -> str:
        """What to type if it is right."""
        return " and ".join(change.remedy for change in self.changes)

    def with_change(self, change: Change) -> "Rival":
        """Return a rival that differs in one part more."""
        changed = self.preprocess.model_copy(update=dict(change.fields))
        return Rival(changed, (*self.changes, change))


def rivals_of(preprocess: Preprocess, is_coloured: bool, dtype: str) -> tuple[Rival, ...]:
    """Return the rivals that keep the pixels: other values, channels in the other order, and both.

    `is_coloured`: whether images have colours; in grey ones the order of the channels changes nothing.
    `dtype`: the type of the input, which must hold the values.
    """
    stated = Rival(preprocess, ())
    values = [stated.with_change(change) for change in _other_values(preprocess)]
    values = [rival for rival in values if fits_type(rival.preprocess, dtype)]
    if not is_coloured or preprocess.channels == "grey":
        return tuple(values)
    return (*values, *(rival.with_change(_other_order(rival.preprocess)) for rival in (stated, *values)))


def other_geometries(preprocess: Preprocess) -> Iterator[Change]:
    """Yield the other usual ways to resize; how pixels are interpolated stays."""
    for words, geometry in _GEOMETRIES.items():
        if geometry.resize != preprocess.resize:
            crop_pct = f", crop_pct: {geometry.crop_pct:g}" if geometry.crop_pct < 1 else ""
            yield Change(
                words,
                {"resize": geometry.resize, "crop_pct": geometry.crop_pct},
                f"'preprocess: {{resize: {geometry.resize}{crop_pct}}}' in edgefit.yaml",
            )


def _other_values(preprocess: Preprocess) -> Iterator[Change]:
    stated = Numbers(preprocess.scale, preprocess.mean, preprocess.std)
    for name, words in _VALUES.items():
        numbers = PRESETS[name].in_order(preprocess.channels).for_channels(len(preprocess.mean))
        if numbers is not None and not numbers.is_like(stated):
            fields = {"scale": numbers.scale, "mean": numbers.mean, "std": numbers.std}
            yield Change(words, fields, f"--preprocess {name}")


def _other_order(preprocess: Preprocess) -> Change:
    """Return the other order of the channels. Each channel keeps its own mean and std."""
    order = "rgb" if preprocess.channels == "bgr" else "bgr"
    mean, std = preprocess.mean[::-1], preprocess.std[::-1]
    moves = (mean, std) != (preprocess.mean, preprocess.std)
    own = " (reverse mean and std there too, if it states them)" if moves else ""
    return Change(
        f"channels in the order {order.upper()}",
        {"channels": order, "mean": mean, "std": std},
        f"'input: {{channels: {order}}}' in edgefit.yaml{own}",
    )
