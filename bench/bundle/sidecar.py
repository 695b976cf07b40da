"""`edgefit.yaml` beside a model file: what a person, or edgefit, says of its input and output.

`NAME.edgefit.yaml` belongs to the model files NAME.onnx, NAME.xml … alone, and is read instead of
`edgefit.yaml`. `edgefit.yaml` belongs to every model in its folder, or to the one that its key `model`
names.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from bench.bundle.input_arrays import Layout
from bench.bundle.input_preprocessing import (
    CROP_MODES,
    UNIT_SCALE,
    ChannelOrder,
    Interpolation,
    PadValue,
    Positive,
    Preprocess,
    Resize,
)
from bench.bundle.stated_preprocessing import Geometry, Numbers, Stated
from bench.errors import InputError
from bench.filesystem.whole_files import refuse_to_replace, write_whole
from bench.record import Record
from device_profiles.part import Text
from device_profiles.validation import explain
from device_profiles.yaml_text import read_yaml, to_yaml
from user_files.contents import ContentError, content_of
from user_files.decoding import FULL_WHITE
from user_files.faults import why_replaced
from user_files.json_text import json_of
from user_files.text import text_of

SIDECAR = "edgefit.yaml"
_LARGEST_JSON = 4 << 20
# YAML takes ten seconds a megabyte at worst.
_LARGEST_YAML = 1 << 20
_WITH_DEFAULTS = ("crop_pct", "interpolation", "antialias", "pad_value", "scale")
_HEADER = "# Written by edgefit, which replaces it unless it was changed. Check: "


class SidecarInput(Record):
    """The input that takes the image."""

    name: Text | None = None
    """Its name in the file."""
    layout: Layout | None = None
    """The order of batch, channels, height and width."""
    dtype: Text | None = None
    """The type of its values by numpy's names."""
    channels: ChannelOrder | None = None
    """The order of the channels: `rgb`, `bgr` or `grey`."""


class SidecarPreprocess(Record):
    """The keys of Preprocess, except `channels` and `orientation`.

    Keys that are missing are taken from the other sources.
    """

    input_size: tuple[int, int, int] | None = None
    """Channels, height and width of the input."""
    sixteen_bit_white: int | None = Field(default=None, ge=255, le=FULL_WHITE)
    """The value that counts as white in an image of 16 bits; if missing, the highest of the bits in use."""
    resize: Resize | None = None
    """How an image gets the size: `squash`, `crop`, `letterbox`, `fit` or `none`."""
    crop_mode: Literal["center", "squash", "border"] | None = None
    """The same by timm's name and words."""
    crop_pct: float | None = Field(default=None, gt=0, le=1)
    """The input's edge ÷ the edge to which an image is resized before its middle is cut out; 1 if missing."""
    interpolation: Interpolation | None = None
    """How pixels are interpolated, by Pillow's names; bilinear if missing."""
    antialias: bool | None = None
    """Whether a smaller image is averaged from all pixels of the larger one; true if missing."""
    pad_value: tuple[PadValue, ...] | None = Field(default=None, min_length=1)
    """The 8-bit value of added borders; 0 if missing."""
    scale: float | None = Field(default=None, gt=0)
    """By what each 8-bit value is multiplied first; 1/255 if missing, as timm does."""
    mean: tuple[float, ...] | None = Field(default=None, min_length=1)
    """What is then subtracted, in scaled values."""
    std: tuple[Positive, ...] | None = Field(default=None, min_length=1)
    """By what is then divided, in scaled values."""

    @model_validator(mode="after")
    def _fits_together(self) -> "SidecarPreprocess":
        if self.resize is not None and self.crop_mode is not None:
            raise ValueError("resize and crop_mode say the same; remove one")
        details = (self.crop_pct, self.interpolation, self.antialias, self.pad_value)
        if self.how is None and any(detail is not None for detail in details):
            raise ValueError("resize is missing; add resize: squash, crop, letterbox, fit or none")
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std belong together; add the other one")
        if self.scale is not None and self.mean is None:
            raise ValueError("scale is there without mean and std; add mean: [0] and std: [1]")
        return self

    @property
    def how(self) -> Resize | None:
        """How an image gets the size, by whichever key."""
        return self.resize if self.crop_mode is None else CROP_MODES[self.crop_mode]

    def geometry(self) -> Geometry | None:
        """Return what becomes of pixels."""
        if self.how is None:
            return None
        return Geometry(
            resize=self.how,
            crop_pct=self.crop_pct or 1.0,
            interpolation=self.interpolation or "bilinear",
            antialias=self.antialias is not False,
            pad_value=self.pad_value or (0,),
        )

    def numbers(self) -> Numbers | None:
        """Return what becomes of values."""
        if self.mean is None or self.std is None:
            return None
        return Numbers(self.scale or UNIT_SCALE, self.mean, self.std)

    @property
    def defaulted(self) -> tuple[str, ...]:
        """The keys that are missing here and have a default."""
        return tuple(key for key in _WITH_DEFAULTS if getattr(self, key) is None)


class SidecarOutput(Record):
    """The output that is judged."""

    name: Text | None = None
    """Its name in the file."""
    activation: Literal["logits", "softmax", "sigmoid", "none"] | None = None
    """What its values are."""
    classes: tuple[Text, ...] | None = Field(default=None, min_length=1)
    """The class names, in the order of its values."""


class SidecarOrigins(Record):
    """Where edgefit found what it wrote here; for people alone."""

    preprocess: Text | None = None
    """The sources of the preprocessing."""
    input: Text | None = None
    """The source of the input."""
    classes: Text | None = None
    """The source of the class names."""


class Sidecar(Record):
    """All of `edgefit.yaml`."""

    model: Text | None = None
    """The name of the model file that this is about; without it, every model in the folder."""
    input: SidecarInput = SidecarInput()
    """The input that takes the image."""
    preprocess: SidecarPreprocess = SidecarPreprocess()
    """What becomes of an image."""
    output: SidecarOutput = SidecarOutput()
    """The output that is judged."""
    found: SidecarOrigins = SidecarOrigins()
    """Where edgefit found what it wrote here."""

    def stated(self, origin: str) -> Stated:
        """Return what this says about preprocessing."""
        input_size = self.preprocess.input_size
        return Stated(
            origin=origin,
            size=None if input_size is None else input_size[1:],
            geometry=self.preprocess.geometry(),
            numbers=self.preprocess.numbers(),
            channels=self.input.channels,
            white=self.preprocess.sixteen_bit_white,
            labels=self.output.classes,
            defaulted=self.preprocess.defaulted,
        )


def sidecar_preprocess(preprocess: Preprocess) -> SidecarPreprocess:
    """Return the keys of a preprocessing as the sidecar has them."""
    return SidecarPreprocess.model_validate(preprocess.model_dump(exclude={"channels", "orientation"}))


def find_sidecar(model_path: Path) -> Path | None:
    """Return the sidecar that belongs to a model file; raises InputError if one is malformed."""
    own = _own_name(model_path)
    if own.is_file():
        return own
    shared = model_path.with_name(SIDECAR)
    return shared if shared.is_file() and _is_about(shared, model_path) else None


def _own_name(model_path: Path) -> Path:
    return model_path.with_name(f"{model_path.stem}.{SIDECAR}")


def _is_about(path: Path, model_path: Path) -> bool:
    return read_sidecar(path).model in (None, model_path.name)


def read_sidecar(path: Path) -> Sidecar:
    """Read `edgefit.yaml`; raises InputError with the key, its value, or the nearest known key."""
    content = read_document(path)
    try:
        return Sidecar.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise InputError(
            f"{explain(path, error, Sidecar, noun='sidecar')}; correct it, or delete the key"
        ) from None


def read_document(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML or JSON file beside a model; raises InputError if there is none."""
    try:
        if path.suffix == ".json":
            content = json_of(text_of(content_of(path, _LARGEST_JSON)))
        else:
            content = read_yaml(text_of(content_of(path, _LARGEST_YAML)))
    except ContentError as error:
        raise InputError(why_replaced(path) or f"{path}: {error}; correct it, or move it away") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise InputError(
            why_replaced(path) or f"{path}: cannot be read as YAML ({why}); correct it, or move it away"
        ) from None
    if not isinstance(content, dict):
        raise InputError(
            why_replaced(path)
            or f"{path}: must have keys and values (value: {str(content)[:60]!r}); correct it, or "
            "move it away"
        )
    return content


def write_sidecar(model_path: Path, sidecar: Sidecar) -> Path:
    """Write `edgefit.yaml` beside a model, whole or not at all, and return its path.

    If that file is about another model, the name is `NAME.edgefit.yaml`. Raises InputError if a file is in
    the way that edgefit did not write, or that was changed since.
    """
    path = _place(model_path)
    named = sidecar.model_copy(update={"model": model_path.name})
    content = named.model_dump(mode="json", exclude_none=True)
    body = to_yaml({key: value for key, value in content.items() if value != {}})
    _refuse_to_replace(path)
    write_whole(path, f"{_HEADER}{_check_of(body)}\n{body}")
    return path


def _place(model_path: Path) -> Path:
    own, shared = _own_name(model_path), model_path.with_name(SIDECAR)
    if own.exists():
        return own
    is_others = shared.is_file() and shared.stat().st_size and not _is_about(shared, model_path)
    return own if is_others else shared


def _refuse_to_replace(path: Path) -> None:
    try:
        refuse_to_replace(path, was_written, "--write")
    except InputError:
        if not path.is_file() or _is_as_written(path):
            raise
        raise InputError(
            f"{path}: was not written by edgefit, or was changed since; move it away, or go on without"
            " --write"
        ) from None


def _is_as_written(path: Path) -> bool:
    try:
        return was_written(content_of(path, _LARGEST_YAML))
    except ContentError:
        return False


def was_written(content: bytes) -> bool:
    """Whether a sidecar's content is what edgefit wrote, without any change."""
    first, _, body = content.decode(errors="replace").partition("\n")
    return first == f"{_HEADER}{_check_of(body)}"


def _check_of(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
