"""ncnn's exporter: what it changes in what pnnx wrote."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import fx, nn

pytest.importorskip("ncnn")
pytest.importorskip("pnnx")

from making.ncnn_models import opened, raw, tagged, write_ncnn

from bench.runtimes.executed_ncnn import layers_of
from export.half_precision import Halving
from export.to_ncnn import convertible, halve_weights

POINTWISE = "Convolution dense 1 1 in0 a 0=64 1=1 5=1 6=4096"
DEPTHWISE = "ConvolutionDepthWise depthwise 1 1 a b 0=64 1=1 6=64 7=64"
TOO_LARGE = "InnerProduct large 1 1 b out0 0=64 2=4096"


def test_dense_weights_are_stored_in_half_and_others_in_float(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    dense, large = random.normal(size=4096), np.full(4096, 70_000.0)
    path = write_ncnn(
        tmp_path,
        ["Input in0 0 1 in0", POINTWISE, DEPTHWISE, TOO_LARGE],
        tagged(dense),
        raw(np.ones(64)),
        tagged(np.ones(64)),
        tagged(large),
    )
    inputs = [random.normal(size=(1, 64, 1, 1)).astype(np.float32)]
    before, halving = opened(path).infer(inputs)[0], Halving()
    size = path.with_suffix(".bin").stat().st_size

    halve_weights(path, halving)

    stored = {layer.name: [each.stored for each in layer.weights] for layer in layers_of(path)}
    assert stored == {"in0": [], "dense": ["fp16", "fp32"], "depthwise": ["fp32"], "large": ["fp32"]}
    assert path.with_suffix(".bin").stat().st_size == size - 2 * 4096
    assert halving.in_fp32 == ("large",)
    np.testing.assert_allclose(opened(path).infer(inputs)[0], before, rtol=0.05)


class Attention(nn.Module):
    """As vision transformers have it: a constant for each sample, and three parts of one projection."""

    constant: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("constant", torch.ones(1, 1, 24))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        together = tokens + self.constant.expand_as(torch.narrow(tokens, 1, 0, 1))
        moved = torch.permute(together.reshape(-1, 5, 3, 2, 4), [2, 0, -2, 1, 4])
        parts = torch.ops.aten.unbind.int(moved)
        return nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])


def test_what_moves_an_axis_before_the_batch_is_written_otherwise_and_gives_the_same() -> None:
    tokens = torch.rand(1, 5, 24)
    network = fx.symbolic_trace(Attention())

    changed = convertible(network, (tokens,))

    steps = {str(node.target) for node in changed.graph.nodes}
    assert steps.isdisjoint({"expand_as", "aten.unbind.int"})
    assert torch.equal(changed(tokens), network(tokens))
