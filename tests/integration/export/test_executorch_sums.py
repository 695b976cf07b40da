"""XNNPACK's int8 sums saturate on no CPU: the largest weights, on an emulated CPU without VNNI."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from making import saturation
from making.emulated_cpu import run_on
from making.saturation import LAYERS, LEVELS, Layer

pytest.importorskip("torchao")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    # The exporter ignores them as well: torch deprecates its own internals while exporting.
    pytest.mark.filterwarnings("ignore"),
]

# Runs each program on its images, and prints the outputs.
_RUN = """
import json, sys
import numpy, torch
from executorch.extension.pybindings import _C
_C._unsafe_reset_threadpool(1)
outputs = []
for file in sys.argv[1:]:
    program = _C._load_program(file)
    images = torch.from_numpy(numpy.load(file + ".npy"))
    outputs.append(program.load_method("forward").call([images])[0].flatten().tolist())
print(json.dumps(outputs))
"""


def test_without_vnni_no_layer_saturates_whatever_its_weights_are(tmp_path: Path) -> None:
    layers = {f"{kind}-{level}": saturation.make(kind, level) for kind in LAYERS for level in LEVELS}
    files = [write_program(tmp_path / f"{name}.pte", layer) for name, layer in layers.items()]

    printed = run_on("x86", [sys.executable, "-c", _RUN, *files])

    assert printed.returncode == 0, printed.stderr
    for (name, layer), output in zip(layers.items(), json.loads(printed.stdout), strict=True):
        # Halves of a step may be rounded up or down.
        assert np.abs(output - saturation.exact(layer).flatten()).max() <= 1.01 * layer.step, name


def write_program(path: Path, layer: Layer) -> Path:
    """Write a layer as a program of XNNPACK, and its images beside it."""
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    images = torch.from_numpy(layer.images).float() * saturation._STEP
    program = torch.export.export(quantised(layer), (images,))
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    path.write_bytes(lowered.to_executorch().buffer)
    np.save(f"{path}.npy", images.numpy())
    return path


def quantised(layer: Layer):  # type: ignore[no-untyped-def]
    """Return a layer between quantised tensors, as torchao writes it."""
    import torch
    import torchao.quantization.pt2e  # noqa: F401 - it declares the operators

    operators = torch.ops.quantized_decomposed
    channels, limits = len(layer.weights), (-128, 127, torch.int8)

    def rounded(values: torch.Tensor, step: float, zero: int) -> torch.Tensor:
        stored = operators.quantize_per_tensor(values, step, zero, *limits)
        found: torch.Tensor = operators.dequantize_per_tensor(stored, step, zero, *limits)
        return found

    class Quantised(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("weights", torch.from_numpy(layer.weights))
            self.register_buffer("steps", torch.full((channels,), saturation._WEIGHT_STEP))
            self.register_buffer("zeros", torch.zeros(channels, dtype=torch.long))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            weights = operators.dequantize_per_channel(
                self.weights, self.steps, self.zeros, 0, -127, 127, torch.int8
            )
            taken = rounded(images, saturation._STEP, -128)
            if layer.is_linear:
                sums = torch.nn.functional.linear(taken, weights)
            else:
                sums = torch.nn.functional.conv2d(taken, weights, padding=layer.padding, groups=layer.groups)
            return rounded(sums, layer.step, 0)

    return Quantised()
