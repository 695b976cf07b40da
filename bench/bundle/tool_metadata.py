"""What Ultralytics and OpenVINO's Model API write into a model file, or beside it, about its input.

Ultralytics: `metadata.yaml`, `config.txt` in a TorchScript file, and ONNX metadata whose values are Python
literals in text. Model API:
`model_info`, in the .xml of OpenVINO, and in ONNX metadata under keys such as `model_info scale_values`.
"""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZipFile

from pydantic import Field

from bench.bundle.hub_configs import labels_by_index
from bench.bundle.input_preprocessing import Resize
from bench.bundle.stated_preprocessing import (
    PRESETS,
    ForeignRecord,
    Geometry,
    Numbers,
    Stated,
    Unsupported,
)
from bench.errors import InputError
from user_files.reading import reading

ULTRALYTICS_KEYS = frozenset(("task", "imgsz", "stride"))
"""The keys by which what Ultralytics writes is known."""
_LARGEST_XML = 256 << 20
_LONGEST_TEXT = 1 << 20
_CHUNK = 1 << 16
_MODEL_INFO = ["net", "rt_info", "model_info"]
_LETTERBOX = Geometry("letterbox", antialias=False, pad_value=(114,))
_RESIZES: Mapping[str, Resize] = {
    "standard": "squash",
    "crop": "crop",
    "fit_to_window": "fit",
    "fit_to_window_letterbox": "letterbox",
}
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class UltralyticsMetadata(ForeignRecord):
    """What Ultralytics states of an exported network, by its names."""

    task: str
    """`classify`, `detect` or another."""
    imgsz: int | tuple[int, int]
    """The edge in pixels, or height and width."""
    names: dict[str, str] | tuple[str, ...] | None = None
    """The class names, by index or in order."""
    channels: int | None = None
    """The number of channels."""

    def stated(self, origin: str) -> Stated:
        """Return what Ultralytics does to images before such a network."""
        size = (self.imgsz, self.imgsz) if isinstance(self.imgsz, int) else self.imgsz
        is_grey = self.channels == 1
        return Stated(
            origin=origin,
            size=size,
            geometry=self._geometry(size[0] == size[1]),
            numbers=PRESETS["unit"],
            channels="grey" if is_grey else "rgb",
            labels=labels_by_index(self.names) if isinstance(self.names, dict) else self.names,
        )

    def _geometry(self, is_square: bool) -> Geometry | Unsupported:
        if self.task == "classify":
            return Geometry("crop" if is_square else "squash")
        if self.task in ("detect", "segment", "pose", "obb"):
            return _LETTERBOX
        return Unsupported(f"has the task '{self.task}', whose resizing edgefit does not know")


def ultralytics_document(metadata: Mapping[str, str], path: Path) -> dict[str, Any] | None:
    """Return Ultralytics' ONNX metadata with its literals as values; None if another tool wrote the file."""
    if not metadata.keys() >= ULTRALYTICS_KEYS:
        return None
    literals = {
        key: _literal(metadata[key], key, path) for key in ("imgsz", "names", "channels") if key in metadata
    }
    names = literals.get("names")
    if isinstance(names, dict):
        literals["names"] = {str(key): name for key, name in names.items()}
    return {**literals, "task": metadata["task"]}


def read_torchscript_document(path: Path) -> dict[str, Any] | None:
    """Return what Ultralytics put into a TorchScript file; None if it is not there. No code is loaded."""
    try:
        with ZipFile(path) as file:
            name = next((name for name in file.namelist() if name.endswith("/extra/config.txt")), None)
            if name is None or file.getinfo(name).file_size > _LONGEST_TEXT:
                return None
            document = json.loads(file.read(name))
    except Exception:  # noqa: BLE001 - another tool's text, or no TorchScript at all
        return None
    return document if isinstance(document, dict) and document.keys() >= ULTRALYTICS_KEYS else None


def _literal(text: str, key: str, path: Path) -> Any:
    """Return the value of a Python literal; nothing in it is run."""
    try:
        return ast.literal_eval(text[:_LONGEST_TEXT])  # what is cut off there is no literal
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise InputError(
            f"{path}: the metadata key '{key}' (value: {text[:60]!r}) is not a Python literal such as"
            " [224, 224]; export the model again, or write edgefit.yaml beside it, which is read first"
        ) from None


class ModelInfo(ForeignRecord):
    """OpenVINO's `model_info`, by its names. Each value is text."""

    mean_values: str | None = None
    """What is subtracted from 8-bit values."""
    scale_values: str | None = None
    """By what they are then divided."""
    reverse_input_channels: str | None = None
    """Whether BGR images become RGB."""
    resize_type: Literal["standard", "crop", "fit_to_window", "fit_to_window_letterbox"] | None = None
    """How an image gets the size."""
    pad_value: str | None = None
    """The 8-bit value of added borders."""
    embedded_processing: str | None = None
    """Whether the graph itself resizes and normalises."""
    orig_height: str | None = None
    """Height before the processing was embedded."""
    orig_width: str | None = None
    """Width before the processing was embedded."""
    labels: str | None = None
    """The class names, separated by spaces."""
    model_type: str | None = Field(default=None)
    """The kind of model."""

    def stated(self, origin: str) -> tuple[Stated, ...]:
        """Return what is stated, then what Model API does else; raises ValueError for a wrong value."""
        explicit = Stated(
            origin=origin,
            size=self._size(),
            geometry=None if self.resize_type is None else self._geometry(),
            numbers=self._numbers(),
            channels=self._channels(),
            labels=tuple(self.labels.split()) if self.labels else None,
        )
        if explicit == Stated(origin):
            return ()
        implied = f"{origin}, as Model API reads it"
        usual = Stated(implied, geometry=self._geometry(), numbers=PRESETS["raw"], is_default=True)
        return explicit, usual

    @property
    def _is_embedded(self) -> bool:
        text = self.embedded_processing
        return text is not None and _truth("embedded_processing", text)

    def _size(self) -> tuple[int, int] | None:
        if not self._is_embedded or self.orig_height is None or self.orig_width is None:
            return None
        return _whole("orig_height", self.orig_height), _whole("orig_width", self.orig_width)

    def _geometry(self) -> Geometry:
        pad = 0 if self.pad_value is None else _whole("pad_value", self.pad_value)
        if pad > 255:
            raise ValueError(f"pad_value {pad} must be a value of 8 bits")
        return Geometry(_RESIZES[self.resize_type or "standard"], antialias=False, pad_value=(pad,))

    def _numbers(self) -> Numbers | None:
        if self._is_embedded:
            return PRESETS["raw"]
        if not self.mean_values and not self.scale_values:
            return None
        return Numbers(1.0, _floats("mean_values", self.mean_values or "0"), self._divisors())

    def _divisors(self) -> tuple[float, ...]:
        values = _floats("scale_values", self.scale_values or "1")
        if min(values) <= 0:
            raise ValueError(f"scale_values '{self.scale_values}' must be greater than 0")
        return values

    def _channels(self) -> Literal["rgb", "bgr"] | None:
        if self.reverse_input_channels is None:
            return None
        return "rgb" if _truth("reverse_input_channels", self.reverse_input_channels) else "bgr"


def model_info_in(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return what Model API wrote into ONNX metadata."""
    prefix = "model_info "
    return {key.removeprefix(prefix): value for key, value in metadata.items() if key.startswith(prefix)}


def read_model_info(path: Path) -> dict[str, str]:
    """Return the `model_info` of an OpenVINO .xml file; raises InputError if it is no XML, or has a DOCTYPE.

    The file is read in pieces, and no entity is expanded.
    """
    if path.stat().st_size > _LARGEST_XML:
        limit = f"{_LARGEST_XML >> 20} MiB"
        raise InputError(f"{path}: has more than {limit}, which no OpenVINO .xml has; export the model again")
    reader = _ModelInfoReader(path)
    try:
        with reading(path) as file:
            while chunk := file.read(_CHUNK):
                reader.parser.Parse(chunk, False)
        reader.parser.Parse(b"", True)
    except (ExpatError, LookupError, ValueError) as error:
        raise InputError(f"{path}: is not valid XML ({error}); export the model again") from None
    return reader.values


class _ModelInfoReader:
    """Remembers where in the file it is, and the values of `model_info`."""

    def __init__(self, path: Path) -> None:
        self.values: dict[str, str] = {}
        self.parser = ParserCreate()
        self.parser.StartElementHandler = self._enter
        self.parser.EndElementHandler = self._leave
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._open: list[str] = []
        self._path = path

    def _enter(self, name: str, attributes: dict[str, str]) -> None:
        if self._open == _MODEL_INFO and "value" in attributes:
            self.values[name] = attributes["value"]
        self._open.append(name)

    def _leave(self, _name: str) -> None:
        self._open.pop()

    def _refuse(self, *_declaration: object) -> None:
        raise InputError(f"{self._path}: has a DOCTYPE, which no OpenVINO .xml has; export the model again")


def _truth(key: str, text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(f"{key} '{text[:60]}' must be True or False")
    return text.lower() in _TRUE


def _whole(key: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise ValueError(f"{key} '{text[:60]}' must be a whole number")
    return int(text)


def _floats(key: str, text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.strip("[]").replace(",", " ").split())
    except ValueError:
        values = ()
    if not values or not all(abs(value) < 1e9 for value in values):
        raise ValueError(f"{key} '{text[:60]}' must be numbers separated by spaces")
    return values
