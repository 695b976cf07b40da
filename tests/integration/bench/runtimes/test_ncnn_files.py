"""A user's own ncnn model, read in a worker."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ncnn")

from making.ncnn_models import raw, tagged, write_ncnn

from bench.bundle.model_files import read_model_file
from bench.errors import InputError
from bench.harness.describing import describe

LAYERS = ["Input in0 0 1 in0 0=5 1=5 2=3", "Convolution conv 1 1 in0 out0 0=2 1=3 5=1 6=54"]


def model(folder: Path, *layers: str) -> Path:
    return write_ncnn(folder, [*LAYERS, *layers], tagged(np.ones(54)), raw([0, 0]))


def test_its_inputs_and_outputs_are_read(tmp_path: Path) -> None:
    signature = describe(read_model_file(model(tmp_path))).signature

    assert [tensor.words for tensor in signature.inputs] == ["in0: float32 [?, 3, 5, 5]"]
    assert [tensor.name for tensor in signature.outputs] == ["out0"]


def test_layers_that_it_lacks_are_named(tmp_path: Path) -> None:
    path = model(tmp_path, "torch.unbind unbind 1 1 out0 out1")

    with pytest.raises(InputError, match=r"cannot be loaded by ncnn .*kinds that ncnn lacks: torch\.unbind"):
        describe(read_model_file(path))
