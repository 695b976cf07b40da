"""Networks that remember what they have seen: each inference is one of its own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions


def written_litert(folder: Path) -> Path:
    pytest.importorskip("ai_edge_litert")
    from making.tflite_files import recurrent

    return recurrent(folder / "model.tflite")


def written_openvino(folder: Path) -> Path:
    import openvino
    from openvino import opset13 as operators

    given = operators.parameter([1, 1, 1], np.float32, name="values")
    seen = operators.read_value(operators.constant(np.zeros((1, 1, 1), np.float32)), "seen")
    total = operators.add(given, seen)
    model = openvino.Model(
        [operators.result(operators.relu(total))], [operators.assign(total, "seen")], [given], "sums"
    )
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)
    return folder / "model.xml"


@pytest.mark.parametrize("write", [written_litert, written_openvino])
def test_an_inference_forgets_the_one_before(write: Callable[[Path], Path], tmp_path: Path) -> None:
    entry = write(tmp_path)
    name = {".tflite": "litert", ".xml": "openvino"}[entry.suffix]
    options = LoadOptions(RunConfig(threads=1, provider=FORMATS[name].provider))

    session = load_runtime(name).load(entry, options)

    ones = [np.ones((1, 1, 1), np.float32)]
    assert [session.infer(ones)[0].item() for _ in range(3)] == [1.0, 1.0, 1.0]
