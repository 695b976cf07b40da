"""What int8 is on a CPU without VNNI, whatever CPU runs the tests: onnxruntime on an emulated one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from making.emulated_cpu import run_python_on
from onnx import TensorProto, helper, numpy_helper

from bench.bundle import read_bundle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_CHANNELS = 64
# Runs a model on an input and prints its output and the kinds of operators that ran.
_RUN = """
import json, sys
import numpy, onnxruntime
model, images, folder = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
options.enable_profiling = True
options.profile_file_prefix = folder + "/profile"
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
outputs = [session.run(None, {name: image[None]})[0].tolist() for image in numpy.load(images)]
with open(session.end_profiling()) as file:
    ran = [event["args"]["op_name"] for event in json.load(file) if "op_name" in event.get("args", {})]
print(json.dumps({"outputs": outputs, "operators": sorted(set(ran))}))
"""


@dataclass(frozen=True)
class Emulated:
    """What a model did on an emulated CPU."""

    outputs: np.ndarray
    operators: Sequence[str]


def run_model(model: Path, images: np.ndarray, folder: Path, cpu: str = "x86") -> Emulated:
    """Run an ONNX model on each image, on an emulated CPU."""
    np.save(folder / "images.npy", images)
    document = json.loads(run_python_on(cpu, _RUN, model, folder / "images.npy", folder))
    return Emulated(np.array(document["outputs"], dtype=np.float32), document["operators"])


def sum_of_channels(level: int, folder: Path) -> Path:
    """Write an int8 convolution that adds its channels: every weight is `level` of 127 levels."""
    scales = {
        "scale": np.float32(1 / 255),
        "weight_scale": np.float32(1 / level),
        "sum_scale": np.float32(0.5),
    }
    values = {
        **scales,
        "zero": np.uint8(0),
        "weight_zero": np.int8(0),
        "weight": np.full((_CHANNELS, _CHANNELS, 1, 1), level, dtype=np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "scale", "zero"], ["image_int8"]),
        helper.make_node("DequantizeLinear", ["image_int8", "scale", "zero"], ["image_again"]),
        helper.make_node("DequantizeLinear", ["weight", "weight_scale", "weight_zero"], ["weight_again"]),
        helper.make_node("Conv", ["image_again", "weight_again"], ["sum"]),
        helper.make_node("QuantizeLinear", ["sum", "sum_scale", "zero"], ["sum_int8"]),
        helper.make_node("DequantizeLinear", ["sum_int8", "sum_scale", "zero"], ["answer"]),
    ]
    shape = [1, _CHANNELS, 4, 4]
    graph = helper.make_graph(
        nodes,
        "sum",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    path = folder / "sum.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.mark.parametrize(("level", "is_exact"), [(64, True), (127, False)])
def test_without_vnni_sums_of_int8_weights_overflow_but_not_those_of_seven_bits(
    level: int, is_exact: bool, tmp_path: Path
) -> None:
    images = np.ones((1, _CHANNELS, 4, 4), dtype=np.float32)

    emulated = run_model(sum_of_channels(level, tmp_path), images, tmp_path)

    # Two products of 255 and 127 are more than 16 bits hold: 32767 remain of 64770.
    assert "QLinearConv" in emulated.operators
    assert np.allclose(emulated.outputs, _CHANNELS, atol=1) is is_exact
    assert emulated.outputs.mean() > 0.4 * _CHANNELS


def test_the_fp32_artifact_says_there_what_the_network_says(nine_folder: Path, tmp_path: Path) -> None:
    bundle = read_bundle(nine_folder)
    pack, artifact = bundle.pack().first(4), bundle.select(["onnx-fp32"])[0]
    images = np.concatenate([pack.batch(index) for index in range(len(pack))])

    emulated = run_model(nine_folder / artifact.entry, images, tmp_path)

    np.testing.assert_allclose(emulated.outputs[:, 0], pack.reference_logits, atol=1e-3)


def test_the_int8_artifact_runs_there_in_int8(nine_folder: Path, tmp_path: Path) -> None:
    bundle = read_bundle(nine_folder)
    pack, artifact = bundle.pack().first(4), bundle.select(["onnx-int8"])[0]
    images = np.concatenate([pack.batch(index) for index in range(len(pack))])

    emulated = run_model(nine_folder / artifact.entry, images, tmp_path)

    assert "QLinearConv" in emulated.operators
    assert np.isfinite(emulated.outputs).all()
