"""What all sources that are somebody's model file share: their signature, and how they run.

Each of them runs as it would on its own, in the runtime of its format.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import torch

from bench.bundle.model_files import ModelFile, read_model_file
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.signature import (
    Inputs,
    Outputs,
    Shapes,
    Signature,
    StatedInput,
    Tensor,
    named_shapes,
    refuse_huge,
    with_shapes,
)
from bench.bundle.source_record import SourceKind
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from bench.errors import InputError, first_sentence
from bench.harness.describing import describe
from bench.run_config import RunConfig
from bench.runtimes.installed import import_runtime, row_of
from bench.runtimes.protocol import LoadOptions, Session
from export.sources.file_formats import FORMAT_OF
from export.sources.finite_weights import (
    Named,
    of_network,
    of_onnx,
    of_openvino,
    of_tflite,
    refuse_not_finite,
)
from export.sources.spec import SourceDescription, SourceSpec, StatedShape


class FileSession:
    """A model file, loaded once in its own runtime."""

    def __init__(self, path: Path, kind: SourceKind, inputs: Sequence[Tensor]) -> None:
        """`inputs`: with fixed shapes, those of one inference."""
        self._path, self._kind, self._inputs = path, kind, tuple(inputs)

    def run(self, inputs: Inputs) -> Outputs:
        """Run one inference."""
        return self._session.infer(inputs)

    @cached_property
    def _session(self) -> Session:
        row = row_of(FORMAT_OF[self._kind])
        runtime = import_runtime(row.module)
        precision = runtime.describe(self._path).precision
        options = LoadOptions(
            config=RunConfig(provider=row.provider, threads=torch.get_num_threads()),
            # OpenVINO computes a file in half precision where the CPU can, unless it is called fp32.
            precision=Precision.INT8 if precision is Precision.INT8 else Precision.FP32,
            inputs=self._inputs,
        )
        return runtime.load(self._path, options)


def describe_file(spec: SourceSpec, shapes: Sequence[StatedShape]) -> SourceDescription:
    """Return what a file takes and gives; sizes of outputs that it leaves open are those of one inference.

    Raises InputError if it cannot be loaded, or if the shape of an input is open and nothing states it.
    """
    model = read_model_file(Path(spec.name))
    _refuse_other_format(model, spec.kind)
    stated = describe(model)
    name = str(model.path)
    given = named_shapes(name, stated.signature, _stated(shapes))
    inputs = with_shapes(name, stated.signature.inputs, given)
    refuse_huge(name, inputs)
    refuse_not_finite(name, _weights_of(model.path, spec.kind))
    return SourceDescription(
        signature=Signature(inputs=inputs, outputs=_outputs(model, spec.kind, inputs, stated.signature)),
        precision=stated.precision,
        producer=_producer(model),
        opset=read_onnx_graph(model.path).opset if model.format == "onnx" else None,
    )


def _weights_of(path: Path, kind: SourceKind) -> Iterator[Named]:
    match kind:
        case SourceKind.ONNX:
            import onnx

            return of_onnx(onnx.load_model(str(path)).graph)
        case SourceKind.OPENVINO:
            import openvino

            return of_openvino(openvino.Core().read_model(str(path)))
        case SourceKind.LITERT:
            return of_tflite(path.read_bytes())
        case _:
            return of_network(torch.jit.load(str(path), map_location="cpu"))  # type: ignore[no-untyped-call]


def _refuse_other_format(model: ModelFile, kind: SourceKind) -> None:
    if model.format != FORMAT_OF[kind]:
        raise InputError(f"{model.path}: is a model in the format {model.format}, and no {kind.value}")


def _stated(shapes: Sequence[StatedShape]) -> Shapes:
    return {shape.name: StatedInput(shape.shape, shape.dtype) for shape in shapes}


def _outputs(
    model: ModelFile, kind: SourceKind, inputs: Sequence[Tensor], stated: Signature
) -> tuple[Tensor, ...]:
    """Return the outputs with fixed shapes: sizes that the file leaves open are those of one inference."""
    if stated.outputs and all(tensor.is_fixed and tensor.is_numeric for tensor in stated.outputs):
        return stated.outputs
    try:
        arrays = FileSession(model.path, kind, inputs).run(constant_inputs(inputs))
    except Exception as error:  # noqa: BLE001 - whatever a runtime raises, the inputs do not fit the model
        raise InputError(
            f"{model.path}: an inference failed that was to show the shapes of its outputs "
            f"({type(error).__name__}: {first_sentence(str(error))}); state the inputs that it takes with "
            "--shape"
        ) from None
    names = [tensor.name for tensor in stated.outputs] or [f"output_{index}" for index in range(len(arrays))]
    return tuple(
        Tensor(name=name, dtype=array.dtype.name, shape=array.shape)
        for name, array in zip(names, arrays, strict=True)
    )


def _producer(model: ModelFile) -> str:
    if model.format == "onnx":
        return read_onnx_graph(model.path).producer or "unknown"
    return {"openvino": "OpenVINO", "torchscript": "PyTorch", "litert": "LiteRT"}[model.format]
