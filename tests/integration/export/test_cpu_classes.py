"""What int8 is on a CPU without VNNI, whatever CPU runs the tests: the runtimes on an emulated one."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from making import saturation
from making.emulated_cpu import run_on, run_python_on

from bench.bundle.manifest import read_bundle
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

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
    """A model's outputs on an emulated CPU, and the operators that ran."""

    outputs: np.ndarray
    operators: Sequence[str]


def run_model(model: Path, images: np.ndarray, folder: Path, cpu: str = "x86") -> Emulated:
    """Run an ONNX model on each image, on an emulated CPU."""
    np.save(folder / "images.npy", images)
    document = json.loads(run_python_on(cpu, _RUN, model, folder / "images.npy", folder))
    return Emulated(np.array(document["outputs"], dtype=np.float32), document["operators"])


@pytest.mark.parametrize("runtime", saturation.RUNNERS)
def test_without_vnni_weights_of_64_never_saturate_and_of_127_do(runtime: str) -> None:
    printed = run_on("x86", [sys.executable, saturation.__file__, runtime])
    assert printed.returncode == 0, printed.stderr
    errors = json.loads(printed.stdout.splitlines()[-1])

    # Halves of a step may be rounded up or down.
    assert all(error <= 1.01 for layer, error in errors.items() if layer.endswith(" 64"))
    assert errors["pointwise 127"] > 2
    assert errors["linear 127"] > 2
    # Which is why NNCF's own remedy may leave depthwise weights at ±127.
    assert runtime != "openvino" or errors["depthwise 127"] <= 1.01


def test_without_vnni_the_fp32_artifact_gives_the_networks_logits(nine_folder: Path, tmp_path: Path) -> None:
    bundle = read_bundle(nine_folder)
    pack, artifact = bundle.pack().first(4), bundle.select(["onnx-fp32"])[0]
    images = np.concatenate([pack.batch(index) for index in range(len(pack))])

    emulated = run_model(nine_folder / artifact.entry, images, tmp_path)

    np.testing.assert_allclose(emulated.outputs[:, 0], pack.reference_logits, atol=1e-3)


def test_without_vnni_the_int8_artifact_runs_in_int8_and_gives_the_same_logits(
    nine_folder: Path, tmp_path: Path
) -> None:
    bundle = read_bundle(nine_folder)
    pack, artifact = bundle.pack().first(4), bundle.select(["onnx-int8"])[0]
    images = np.concatenate([pack.batch(index) for index in range(len(pack))])
    options = LoadOptions(RunConfig(threads=1, provider=row_of("onnx").provider), precision=Precision.INT8)
    session = load_runtime("onnx").load(nine_folder / artifact.entry, options)
    here = np.concatenate([session.infer([image[None]])[0] for image in images])

    emulated = run_model(nine_folder / artifact.entry, images, tmp_path)

    assert "QLinearConv" in emulated.operators
    assert np.abs(emulated.outputs[:, 0] - here).max() < 0.05 * np.abs(here).max()
