"""Exports ncnn's .param and .bin with pnnx.

It knows pnnx's options and where ncnn stores weights, and verifies nothing.
"""

import copy
import operator
import shutil
import signal
import subprocess
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import pnnx
import torch
from torch import fx
from torch.fx.passes.shape_prop import ShapeProp

from bench.bundle.signature import Tensor
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from bench.runtimes.executed_ncnn import (
    ATTENTION,
    CONVOLUTIONS,
    HALF_TAG,
    LINEAR,
    PRODUCT,
    SIZES,
    SIZES_WITH_DEPTH,
    TAG_BYTES,
    NcnnLayer,
    StoredWeights,
    layers_of,
    unknown_kinds,
    weights_file,
)
from export.exporter import (
    HALF_METHOD,
    STEM,
    Exported,
    ExportRequest,
    is_stored_in_half,
    with_layers_in_fp32,
)
from export.half_precision import Halving
from export.onnx_weights import onnx_model_of
from export.sources.source import OnnxBase


class ConversionError(Exception):
    """A network that pnnx cannot convert, or not wholly."""


def export(request: ExportRequest) -> Exported:
    """Write `model.param` and `model.bin`, in float; for fp16 store the dense weights in half after that."""
    with TemporaryDirectory(dir=request.folder) as folder:
        converted = _convert(_written(request, Path(folder)))
        entry = request.folder / f"{STEM}.param"
        entry.write_text(_with_shapes(converted.read_text(), request.inputs))
        shutil.copyfile(weights_file(converted), weights_file(entry))
    exported = Exported(entry=entry, producer=f"pnnx {pnnx.__version__}")
    if request.precision is Precision.FP32:
        return exported
    halving = Halving()
    halve_weights(entry, halving)
    return with_layers_in_fp32(replace(exported, method=HALF_METHOD), halving)


def _written(request: ExportRequest, folder: Path) -> Path:
    """Write what pnnx reads: the ONNX graph of an ONNX source, and of any other its network, traced."""
    if isinstance(request.base, OnnxBase):
        path = folder / "source.onnx"
        onnx.save_model(onnx_model_of(request.base, request), str(path))
        return path
    path = folder / "source.pt"
    example = tuple(torch.from_numpy(array) for array in constant_inputs(request.inputs))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing is deprecated; pnnx reads nothing newer
        network = convertible(request.network, example)
        torch.jit.trace(network, example, check_trace=False).save(str(path))  # type: ignore[no-untyped-call]
    return path


def convertible(network: fx.GraphModule, example: tuple[torch.Tensor, ...]) -> fx.GraphModule:
    """Return a copy without two steps that pnnx has no layers for, and that vision transformers have.

    A constant is repeated for each sample of a batch; `example` has as many as the file will take.
    """
    changed = copy.deepcopy(network)
    ShapeProp(changed).propagate(*example)
    for node in changed.graph.find_nodes(op="call_method", target="expand_as"):
        constant, samples = node.args
        if constant.meta["tensor_meta"].shape == samples.meta["tensor_meta"].shape:
            node.replace_all_uses_with(constant)
    for node in changed.graph.find_nodes(op="call_function", target=torch.ops.aten.unbind.int):
        _select_in_place(changed.graph, node)
    changed.graph.eliminate_dead_code()
    changed.recompile()
    return changed


def _select_in_place(graph: fx.Graph, unbind: fx.Node) -> None:
    """Select the parts of an axis where it lies, if it was moved before the batch to be taken apart there."""
    arguments: tuple[Any, ...] = unbind.args
    moved, *axis = arguments
    is_taken_apart = all(part.target is operator.getitem for part in unbind.users)
    if moved.target is not torch.permute or any(axis) or not is_taken_apart:
        return
    whole, order = moved.args
    first, *others = (axis % len(order) for axis in order)
    for part in list(unbind.users):
        with graph.inserting_before(part):
            selected = graph.call_function(torch.select, (whole, first, part.args[1]))
            left = [axis - (axis > first) for axis in others]
            part.replace_all_uses_with(graph.call_function(torch.permute, (selected, left)))


def _convert(source: Path) -> Path:
    """Return the .param that pnnx writes beside a source; raises ConversionError if it is not whole."""
    # fp16=0: or pnnx stores all weights in half.
    done = subprocess.run(
        [pnnx.EXEC_PATH, source.name, "fp16=0"], cwd=source.parent, capture_output=True, check=False
    )
    entry = source.with_suffix(".ncnn.param")
    if done.returncode != 0 or not entry.is_file():
        raise ConversionError(f"pnnx {pnnx.__version__} failed on this network ({_last_line(done)})")
    if unknown := unknown_kinds(entry):
        raise ConversionError(
            f"pnnx {pnnx.__version__} has no ncnn layers for parts of this network: {', '.join(unknown)}"
        )
    return entry


def _with_shapes(network: str, inputs: Sequence[Tensor]) -> str:
    """Return a .param that states the shapes of its inputs, as pnnx does not: without the batch."""
    lines, shapes = network.splitlines(keepends=True), iter(inputs)
    for index, line in enumerate(lines):
        if line.startswith("Input "):
            sizes = next(shapes).sizes[:0:-1]
            numbers = SIZES[: len(sizes)] if len(sizes) <= len(SIZES) else SIZES_WITH_DEPTH
            stated = (f"{number}={size}" for number, size in zip(numbers, sizes, strict=True))
            lines[index] = " ".join([line.rstrip(), *stated]) + "\n"
    return "".join(lines)


def _last_line(done: "subprocess.CompletedProcess[bytes]") -> str:
    """Return the last thing that pnnx said; where it died, by which signal."""
    if done.returncode < 0:
        return f"it died of {signal.Signals(-done.returncode).name}"
    lines = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def halve_weights(entry: Path, halving: Halving) -> None:
    """Store weights in half, each behind ncnn's tag for that."""
    file = weights_file(entry)
    content = file.read_bytes()
    parts, end = [], 0
    for layer in layers_of(entry):
        for weights in layer.weights:
            shape = _shape(layer, weights)
            if shape is None or not is_stored_in_half(shape):
                continue
            stop = weights.start + 4 * weights.count
            values = np.frombuffer(content[weights.start : stop], np.float32).reshape(shape)
            if (half := halving.half(layer.name, values)) is not None:
                parts += [content[end : weights.start - TAG_BYTES], HALF_TAG.to_bytes(TAG_BYTES, "little")]
                parts += [half.tobytes(), bytes(-half.nbytes % TAG_BYTES)]
                end = stop
    file.write_bytes(b"".join([*parts, content[end:]]))


def _shape(layer: NcnnLayer, weights: StoredWeights) -> Sequence[int] | None:
    """Return the shape [out, in, …] of weights; None of biases, of tables, and of recurrent layers."""
    if not weights.is_tagged:
        return None
    if layer.kind in CONVOLUTIONS:
        outputs, kernel = layer.settings[0], layer.kernel
        return outputs, weights.count // (outputs * kernel), kernel
    if layer.kind in (LINEAR, ATTENTION):
        return layer.settings[0], weights.count // layer.settings[0]
    summed = layer.settings.get(9, 0) if layer.kind == PRODUCT else 0
    # What a Gemm adds, as a bias, is tagged like its factors.
    rows = weights.count // summed if summed else 0
    return (rows, summed) if rows * summed == weights.count and rows > 1 else None
