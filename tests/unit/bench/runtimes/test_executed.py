"""Proof of precision: what ran is read from each runtime's own executed graph."""

from pathlib import Path

import numpy as np
import pytest
from making.controls import to_ncnn, to_onnx, to_torchscript
from making.installed_formats import MEASURED
from making.tiny_report import executed

from bench.measurements import Executed, Operator
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import CONTROL_IMAGE_SIZE, load_runtime
from bench.runtimes.protocol import LoadOptions
from bench.statistics import precision

WITH_CONTROL = [name for name in MEASURED if FORMATS[name].control_file is not None]

# By hand: 48×48 outputs; 3×3×3 and 32 weights of the first, 3×3 of the depthwise, 32 of the pointwise, four
# times 3×3×32 of the full one; then the linear layer.
YARDSTICK_MACS = 48 * 48 * 32 * (27 + 9 + 32 + 4 * 288) + 32 * 2


@pytest.mark.parametrize("name", WITH_CONTROL)
def test_every_runtime_tells_the_operators_and_multiply_accumulates_that_ran(name: str) -> None:
    row = FORMATS[name]
    assert row.control_file is not None
    options = LoadOptions(RunConfig(threads=1, provider=row.provider))
    session = load_runtime(name).load(row.control_file, options)
    batch = np.zeros((1, 3, CONTROL_IMAGE_SIZE, CONTROL_IMAGE_SIZE), dtype=np.float32)

    found = session.executed([batch])

    assert len(found.operators) == 8
    assert precision.share_of_macs(found.operators) == {"fp32": 1.0}
    assert sum(operator.macs or 0 for operator in found.operators) == YARDSTICK_MACS
    assert (found.casts, found.quantise, found.dequantise) == (0, 0, 0)


def test_the_controls_files_are_what_makes_them_says(tmp_path: Path) -> None:
    import torch

    onnx_file, torch_file = FORMATS["onnx"].control_file, FORMATS["torchscript"].control_file
    assert onnx_file is not None
    assert torch_file is not None
    stored = torch.jit.load(str(torch_file))  # type: ignore[no-untyped-call]
    made = to_torchscript()

    assert onnx_file.read_bytes() == to_onnx().SerializeToString()
    assert sorted(one.kind() for one in stored.inlined_graph.nodes()) == sorted(
        one.kind() for one in made.inlined_graph.nodes()
    )
    for name, value in made.state_dict().items():
        assert torch.equal(stored.state_dict()[name], value)
    ncnn_file = FORMATS["ncnn"].control_file
    assert ncnn_file is not None
    assert (ncnn_file.read_text(), ncnn_file.with_suffix(".bin").read_bytes()) == to_ncnn()


def test_all_runtimes_give_the_controls_one_answer() -> None:
    batch = np.full((1, 3, CONTROL_IMAGE_SIZE, CONTROL_IMAGE_SIZE), 0.5, dtype=np.float32)
    answers = []
    for name in WITH_CONTROL:
        row = FORMATS[name]
        assert row.control_file is not None
        options = LoadOptions(RunConfig(threads=1, provider=row.provider))
        answers.append(load_runtime(name).load(row.control_file, options).infer([batch])[0])

    for answer in answers[1:]:
        assert np.allclose(answers[0], answer, rtol=1e-4)


def two(macs: int | None) -> Executed:
    return Executed(
        source="s",
        operators=(
            Operator(name="a", operation="QLinearConv", precision="int8", macs=300),
            Operator(name="b", operation="aten::conv2d", precision="fp32", macs=macs),
        ),
        casts=1,
        quantise=2,
        dequantise=3,
    )


def test_shares_are_of_operators_and_of_multiply_accumulates() -> None:
    assert precision.share_of_operators(two(100).operators) == {"int8": 0.5, "fp32": 0.5}
    assert precision.share_of_macs(two(100).operators) == {"int8": 0.75, "fp32": 0.25}


def test_a_share_that_is_not_known_whole_is_not_given() -> None:
    assert precision.share_of_macs(two(None).operators) is None
    assert precision.share_of_macs(()) is None
    assert precision.share_of_operators(()) is None


def test_the_evidence_is_one_sentence() -> None:
    assert precision.describe(two(100)) == (
        "s: 1 QLinearConv in int8; 1 conv2d in fp32; 2 quantise and 3 dequantise steps, 1 casts"
    )
    assert "1 Conv in fp32" in precision.describe(executed())
