"""Finds a model's preprocessing in the files beside it, in the file itself, and in its input, in this order.

It opens no model with a runtime: the caller gives ONNX metadata and the input's shape.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from bench.bundle.hub_configs import HubConfig, ImageProcessorConfig, only_of_hub
from bench.bundle.joined_preprocessing import Found, ImageInput, joined
from bench.bundle.referred_files import is_openvino
from bench.bundle.sidecar import SIDECAR, Sidecar, find_sidecar, read_document, read_sidecar
from bench.bundle.stated_preprocessing import ForeignRecord, Stated
from bench.bundle.tool_metadata import (
    ULTRALYTICS_KEYS,
    ModelInfo,
    UltralyticsMetadata,
    model_info_in,
    read_model_info,
    read_torchscript_document,
    ultralytics_document,
)
from bench.errors import InputError
from device_profiles.validation import explain
from user_files.reading import reading
from user_files.zip_names import is_zip

IN_THE_FILE = "metadata in the file"
_REMEDY = f"correct it, move it away, or write {SIDECAR}, which is read first"

_HEAD_BYTES = 4096
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"

_Config = TypeVar("_Config", bound=ForeignRecord)
_Value = TypeVar("_Value")


def find_preprocess(
    model_path: Path,
    metadata: Mapping[str, str],
    image_input: ImageInput,
    first: Sequence[Stated] = (),
    last: Sequence[Stated] = (),
) -> Found:
    """Return the preprocessing of a model, or of a network whose weights are in a file.

    `metadata`: ONNX's metadata_props; `first`: what options state; `last`: what the network's library states.
    Raises InputError for a malformed source.
    """
    path = find_sidecar(model_path)
    sidecar = Sidecar() if path is None else read_sidecar(path)
    own = sidecar.stated(SIDECAR if path is None else path.name)
    if image_input.layout is None:
        image_input = replace(image_input, layout=sidecar.input.layout)
    others = _other_sources(model_path, metadata, own, image_input.size)
    return joined(image_input, [*first, own, *others, *last])


def _other_sources(
    model_path: Path, metadata: Mapping[str, str], own: Stated, size: tuple[int, int] | None
) -> Iterator[Stated]:
    """Yield what other tools state, unless a person has stated everything."""
    if own.geometry is None or own.numbers is None or (own.size or size) is None:
        yield from _beside(model_path, size)
        yield from _in_the_file(model_path, metadata)


def _beside(model_path: Path, size: tuple[int, int] | None) -> Iterator[Stated]:
    path = model_path.with_name("config.json")
    config = _read_beside(path, HubConfig)
    if config is not None:
        yield _checked(path, partial(config.stated_here, path.name, size))
    path = model_path.with_name("preprocessor_config.json")
    processor = _read_beside(path, ImageProcessorConfig)
    if processor is not None:
        yield _checked(path, partial(processor.stated, path.name, size))
    path = model_path.with_name("metadata.yaml")
    ultralytics = _read_beside(path, UltralyticsMetadata, ULTRALYTICS_KEYS)
    if ultralytics is not None:
        yield _checked(path, partial(ultralytics.stated, path.name))


def _read_beside(path: Path, kind: type[_Config], needed: Collection[str] = ()) -> _Config | None:
    """Return what a file beside the model says; None if it is missing, or lacks the keys of its tool."""
    if not path.is_file():
        return None
    document = read_document(path)
    if not document.keys() >= set(needed):
        return None
    return _validated(path, only_of_hub(document) if kind is HubConfig else document, kind)


def _in_the_file(model_path: Path, metadata: Mapping[str, str]) -> Iterator[Stated]:
    document = ultralytics_document(metadata, model_path)
    if is_zip(model_path):  # as TorchScript is, whatever its name
        document = read_torchscript_document(model_path)
    if document is not None:
        ultralytics = _validated(model_path, document, UltralyticsMetadata)
        yield _checked(model_path, partial(ultralytics.stated, IN_THE_FILE))
    info = model_info_in(metadata)
    if _is_xml_of_openvino(model_path):
        info = read_model_info(model_path)
    model_info = _validated(model_path, info, ModelInfo)
    yield from _checked(model_path, partial(model_info.stated, IN_THE_FILE))


def _is_xml_of_openvino(path: Path) -> bool:
    with reading(path) as file:
        head = file.read(_HEAD_BYTES)
    return head.lstrip(_BEFORE_XML).startswith(b"<") and is_openvino(head)


def _validated(path: Path, document: Mapping[str, Any], kind: type[_Config]) -> _Config:
    # A literal of another kind, such as a set, becomes text, which the record then refuses.
    text = json.dumps(document, default=repr, skipkeys=True)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{explain(path, error, kind)}; {_REMEDY}") from None


def _checked(path: Path, state: Callable[[], _Value]) -> _Value:
    """Return what a source states; name the file of a value that is wrong."""
    try:
        return state()
    except (ValueError, ArithmeticError) as error:
        raise InputError(f"{path}: {error}; {_REMEDY}") from None
