"""What timm's `config.json` and Hugging Face's `config.json` and `preprocessor_config.json` say of
preprocessing.

The rules are those of timm's `create_transform` and of transformers' image processors. It opens no file.
"""

import math
from typing import Any, Literal

from pydantic import Field

from bench.bundle.input_preprocessing import CROP_MODES, UNIT_SCALE, Interpolation, Positive, Resize
from bench.bundle.stated_preprocessing import ForeignRecord, Geometry, Numbers, Stated, Unsupported

_PIL_CODES: tuple[Interpolation, ...] = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
# Image processors that read a bare number as the shorter edge; for all others it is height and width.
_SHORTEST_EDGE = ("Bit", "CLIP", "ConvNext", "Levit", "MobileNet", "MobileViT", "PoolFormer")
# Image processors that use bicubic where `resample` is missing; most others use bilinear.
_BICUBIC = ("Beit", "Bit", "CLIP", "DeiT", "Levit", "PoolFormer")
_CONVNEXT_CROPS_BELOW = 384
_CONVNEXT_CROP = 224 / 256
_TIMM_CROP = 0.875


class TimmPretrained(ForeignRecord):
    """timm's `pretrained_cfg`, by timm's names."""

    input_size: tuple[int, int, int] | None = None
    """Channels, height and width in training."""
    test_input_size: tuple[int, int, int] | None = None
    """The same for evaluation, if it differs."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"] | None = None
    """How pixels are interpolated."""
    crop_pct: float | None = Field(default=None, gt=0, le=1)
    """The input's edge ÷ the edge to which an image is resized."""
    test_crop_pct: float | None = Field(default=None, gt=0, le=1)
    """The same at `test_input_size`."""
    crop_mode: Literal["center", "squash", "border"] | None = None
    """Whether the middle is cut out, the aspect ratio is lost, or borders are added."""
    mean: tuple[float, ...] | None = Field(default=None, min_length=1)
    """What is subtracted from values between 0 and 1."""
    std: tuple[Positive, ...] | None = Field(default=None, min_length=1)
    """By what they are then divided."""

    def stated(self, origin: str, size: tuple[int, int] | None) -> Stated:
        """Return what this says of a network whose input has the given height and width."""
        is_tested = self.test_input_size is not None and size == self.test_input_size[1:]
        input_size = self.test_input_size if is_tested else self.input_size
        return Stated(
            origin=origin,
            size=None if input_size is None else input_size[1:],
            geometry=self._geometry(is_tested),
            numbers=self._numbers(),
            channels=_colours(self.mean),
        )

    def _geometry(self, is_tested: bool) -> Geometry | None:
        crop_pct = self.test_crop_pct if is_tested and self.test_crop_pct else self.crop_pct
        if crop_pct is None and self.crop_mode is None and self.interpolation is None:
            return None
        return Geometry(
            resize=CROP_MODES[self.crop_mode or "center"],
            crop_pct=crop_pct or _TIMM_CROP,
            interpolation=self.interpolation or "bicubic",
            # timm fills borders with the mean.
            pad_value=tuple(round(255 * min(1, max(0, value))) for value in self.mean or (0.0,)),
        )

    def _numbers(self) -> Numbers | None:
        return None if self.mean is None or self.std is None else Numbers(UNIT_SCALE, self.mean, self.std)


class HubConfig(TimmPretrained):
    """`config.json`: timm's keys, in older files at the top, and the labels of either library."""

    pretrained_cfg: TimmPretrained | None = None
    """timm's keys."""
    id2label: dict[str, str] | None = None
    """transformers: the class names by index."""
    label_names: tuple[str, ...] | None = None
    """timm: the class names."""

    def stated_here(self, origin: str, size: tuple[int, int] | None) -> Stated:
        """Return what the file says; raises ValueError if the indices of classes have gaps."""
        stated = (self.pretrained_cfg or self).stated(origin, size)
        labels = self.label_names if self.id2label is None else labels_by_index(self.id2label)
        return Stated(origin, stated.size, stated.geometry, stated.numbers, stated.channels, labels)


def only_of_hub(document: dict[str, Any]) -> dict[str, Any]:
    """Return what timm and transformers write into `config.json`; many tools have such a file."""
    is_old_timm = document.keys() >= {"mean", "std"}
    keys = HubConfig.model_fields if is_old_timm else ("pretrained_cfg", "id2label", "label_names")
    return {key: document[key] for key in keys if key in document}


def labels_by_index(names: dict[str, str]) -> tuple[str, ...]:
    """Return class names in the order of their indices; raises ValueError unless they are 0, 1, 2 …"""
    indices = [str(index) for index in range(len(names))]
    strange = next((key for key in names if key not in indices), None)
    if strange is not None:
        raise ValueError(f"the index '{strange}' of {len(names)} classes; they must be 0 to {len(names) - 1}")
    return tuple(names[index] for index in indices)


class HubSize(ForeignRecord):
    """A size of transformers, in pixels."""

    height: int | None = Field(default=None, gt=0)
    """Height."""
    width: int | None = Field(default=None, gt=0)
    """Width."""
    shortest_edge: int | None = Field(default=None, gt=0)
    """The shorter edge; the longer one follows from the aspect ratio."""
    longest_edge: int | None = Field(default=None, gt=0)
    """A limit of the longer edge."""

    @property
    def both(self) -> tuple[int, int] | None:
        """Height and width, if they are stated."""
        return None if self.height is None or self.width is None else (self.height, self.width)


class ImageProcessorConfig(ForeignRecord):
    """`preprocessor_config.json` of transformers, by its names."""

    image_processor_type: str | None = None
    """The class of the image processor."""
    feature_extractor_type: str | None = None
    """The same in older files."""
    pretrained_cfg: TimmPretrained | None = None
    """timm's keys, in a file of `TimmWrapperImageProcessor`."""
    do_resize: bool | None = None
    """Whether images are resized."""
    size: int | tuple[int, int] | HubSize | None = None
    """To which size."""
    crop_pct: float | None = Field(default=None, gt=0, le=1)
    """ConvNeXt: the shorter edge ÷ the edge to which images are resized before the crop."""
    resample: int | None = Field(default=None, ge=0, le=5)
    """How pixels are interpolated, by Pillow's numbers."""
    do_center_crop: bool | None = None
    """Whether the middle is cut out."""
    crop_size: int | HubSize | None = None
    """The size of the middle."""
    do_rescale: bool | None = None
    """Whether values are scaled."""
    rescale_factor: float | None = Field(default=None, gt=0)
    """By what values are multiplied."""
    rescale_offset: bool | None = None
    """EfficientNet: whether 1 is subtracted from scaled values."""
    do_normalize: bool | None = None
    """Whether mean and std are applied."""
    image_mean: float | tuple[float, ...] | None = None
    """What is subtracted from scaled values."""
    image_std: Positive | tuple[Positive, ...] | None = None
    """By what they are then divided."""
    include_top: bool | None = None
    """EfficientNet: whether values are divided by the std twice."""
    do_flip_channel_order: bool | None = None
    """MobileViT: whether RGB becomes BGR."""

    def stated(self, origin: str, size: tuple[int, int] | None) -> Stated:
        """Return what this says; nothing, if the file is about sound or text."""
        if self.pretrained_cfg is not None:
            return self.pretrained_cfg.stated(origin, size)
        if self.size is None and self.image_mean is None and self.rescale_factor is None:
            return Stated(origin)
        input_size, geometry = self._sized()
        return Stated(origin, input_size, geometry, self._numbers(), self._channels())

    @property
    def _kind(self) -> str:
        return self.image_processor_type or self.feature_extractor_type or ""

    def _channels(self) -> Literal["rgb", "bgr"] | None:
        if self.do_flip_channel_order:
            return "bgr"
        return _colours(self.image_mean if isinstance(self.image_mean, tuple) else None)

    def _sized(self) -> tuple[tuple[int, int] | None, Geometry | Unsupported | None]:
        """Return the input's size, and how an image gets it."""
        if self.do_resize is False:
            return None, Unsupported("does not resize images (do_resize is false)")
        size = self._resized_to()
        crop = self._cropped_to()
        if size is None:
            return crop, None
        if size.longest_edge is not None:
            return None, Unsupported(f"limits the longest edge (size.longest_edge is {size.longest_edge})")
        if size.shortest_edge is not None:
            return self._by_shortest_edge(size.shortest_edge, crop)
        return self._by_both(size.both, crop)

    def _resized_to(self) -> HubSize | None:
        if isinstance(self.size, tuple):
            return HubSize(height=self.size[0], width=self.size[1])
        if not isinstance(self.size, int):
            return self.size
        if self._kind.startswith(_SHORTEST_EDGE):
            return HubSize(shortest_edge=self.size)
        return HubSize(height=self.size, width=self.size)

    def _cropped_to(self) -> tuple[int, int] | None:
        if self.do_center_crop is False or self.crop_size is None:
            return None
        if isinstance(self.crop_size, int):
            return self.crop_size, self.crop_size
        return self.crop_size.both

    def _by_shortest_edge(
        self, edge: int, crop: tuple[int, int] | None
    ) -> tuple[tuple[int, int] | None, Geometry | Unsupported]:
        if self._kind.startswith("ConvNext"):
            is_cropped = edge < _CONVNEXT_CROPS_BELOW
            share = (self.crop_pct or _CONVNEXT_CROP) if is_cropped else 1.0
            return (edge, edge), self._geometry("crop" if is_cropped else "squash", share)
        if crop is None:
            return None, Unsupported("resizes the shorter edge and cuts nothing out, so sizes differ")
        if crop[0] != crop[1] or crop[0] > edge:
            return crop, Unsupported(f"cuts {crop[1]}×{crop[0]} pixels out of a shorter edge of {edge}")
        return crop, self._geometry("crop", crop[0] / edge)

    def _by_both(
        self, size: tuple[int, int] | None, crop: tuple[int, int] | None
    ) -> tuple[tuple[int, int] | None, Geometry | Unsupported]:
        if size is None:
            return crop, Unsupported("has a size without height, width or shortest_edge")
        if crop is None or crop == size:
            return size, self._geometry("squash", 1.0)
        shares = [cut / edge for cut, edge in zip(crop, size, strict=True)]
        if max(shares) > 1 or not math.isclose(*shares, rel_tol=1e-3):
            return crop, Unsupported(f"cuts {crop[1]}×{crop[0]} pixels out of {size[1]}×{size[0]}")
        return crop, self._geometry("squash", shares[0])

    def _geometry(self, resize: Resize, crop_pct: float) -> Geometry:
        code = self.resample
        if code is None:
            code = _PIL_CODES.index("bicubic" if self._kind.startswith(_BICUBIC) else "bilinear")
        return Geometry(resize, crop_pct, _PIL_CODES[code])

    def _numbers(self) -> Numbers | Unsupported:
        scale = 1.0 if self.do_rescale is False else self.rescale_factor or UNIT_SCALE
        offset = 1.0 if self.rescale_offset else 0.0
        if not (self.image_mean is not None if self.do_normalize is None else self.do_normalize):
            return Numbers(scale, (offset,), (1.0,))
        if self.image_mean is None or self.image_std is None:
            return Unsupported("normalises (do_normalize is true), and states no image_mean and image_std")
        mean = tuple(value + offset for value in _several(self.image_mean))
        std = _several(self.image_std)
        is_twice = self._kind.startswith("EfficientNet") and self.include_top
        return Numbers(scale, mean, tuple(value**2 for value in std) if is_twice else std)


def _several(values: float | tuple[float, ...]) -> tuple[float, ...]:
    return values if isinstance(values, tuple) else (values,)


def _colours(mean: tuple[float, ...] | None) -> Literal["rgb"] | None:
    """Return the order of both libraries; None where a network may be grey."""
    return "rgb" if mean is not None and len(mean) == 3 else None
