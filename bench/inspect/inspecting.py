"""Gathers what is known of a model file: from the file itself, from its runtime, and from files beside it.

A runtime reads the file in a worker. Nothing is measured, and nothing is written.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.bundle.model_files import ModelFile, read_model_file
from bench.bundle.model_graph import ModelGraph, onnx_model_graph
from bench.bundle.onnx_graph import read_onnx, read_onnx_graph
from bench.bundle.onnx_values import onnx_signature
from bench.bundle.onnx_weights import onnx_weights
from bench.bundle.signature import OpenShapeError, Shapes, Signature, Tensor, named_shapes, with_shapes
from bench.errors import MissingRuntimeError
from bench.harness.describing import FailedInferenceError, describe, read_graph
from bench.inspect.image_preprocess import classes_of, find_image_preprocess, preprocess_of
from bench.inspect.inspection import InspectedTensor, ModelInspection


def inspect_model(path: Path, shapes: Shapes) -> ModelInspection:
    """Return what is known of a model file. `shapes`: by input name, for axes that the file leaves open.

    Raises InputError for a file that is no model, that its runtime cannot load, or that a shape does not
    fit. Raises MissingRuntimeError if nothing can be read without a runtime that is missing here.
    """
    file = read_model_file(path)
    described = _describe(file)
    fixed = _fixed(file, described, shapes)
    counted = _count(file, fixed)
    inputs = described.signature.inputs if fixed.inputs is None else fixed.inputs
    found = find_image_preprocess(file, inputs)
    return ModelInspection(
        path=str(path),
        format=file.format,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        inputs=tuple(map(_inspected, described.signature.inputs)),
        outputs=tuple(map(_inspected_output, described.signature.outputs)),
        graph=counted.graph,
        macs=counted.graph.macs,
        macs_missing=counted.missing,
        preprocess=preprocess_of(found),
        classes=classes_of(found),
    )


@dataclass(frozen=True)
class _Described:
    """The signature, by the runtime or by the file."""

    signature: Signature
    missing: str | None = None
    """Why it is the file's: no runtime here can load it."""


@dataclass(frozen=True)
class _Fixed:
    """The inputs of an inference."""

    inputs: tuple[Tensor, ...] | None
    """With fixed shapes; None if a shape is open."""
    missing: str | None = None
    """Why no inference can run."""


@dataclass(frozen=True)
class _Counted:
    """The graph."""

    graph: ModelGraph
    missing: str | None
    """Why multiply-accumulates are missing."""


def _describe(file: ModelFile) -> _Described:
    """Return the signature. An ONNX file states it, so a runtime is not needed."""
    try:
        return _Described(describe(file).signature)
    except MissingRuntimeError as error:
        if file.format != "onnx":
            raise
        graph = read_onnx_graph(file.path)
        return _Described(read_onnx(file.path, lambda content: onnx_signature(content, graph)), str(error))


def _fixed(file: ModelFile, described: _Described, shapes: Shapes) -> _Fixed:
    name, inputs = file.path.name, described.signature.inputs
    try:
        fixed = with_shapes(name, inputs, named_shapes(name, described.signature, shapes))
    except OpenShapeError as error:
        return _Fixed(None, described.missing or f"the file {str(error).removeprefix(f'{name}: ')}")
    return _Fixed(fixed, described.missing)


def _count(file: ModelFile, fixed: _Fixed) -> _Counted:
    """Return the graph, with multiply-accumulates if an inference can run."""
    if fixed.missing is not None:
        return _Counted(_uncounted_graph(file), fixed.missing)
    try:
        graph = read_graph(file, fixed.inputs)
    except FailedInferenceError as error:
        return _Counted(_uncounted_graph(file), str(error))
    if not graph.uncounted:
        return _Counted(graph, None)
    return _Counted(graph, f"those of {', '.join(graph.uncounted)} are not counted")


def _uncounted_graph(file: ModelFile) -> ModelGraph:
    if file.format != "onnx":
        return read_graph(file, None)
    return onnx_model_graph(read_onnx_graph(file.path), read_onnx(file.path, onnx_weights), None)


def _inspected_output(tensor: Tensor) -> InspectedTensor:
    """Describe an output. It is no image, so nothing is said of the order of its axes."""
    return InspectedTensor(**dict(tensor), axes=None)


def _inspected(tensor: Tensor) -> InspectedTensor:
    return InspectedTensor(**dict(tensor), axes=tensor.layout)
