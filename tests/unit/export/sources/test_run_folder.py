"""A run folder of each kind of network gives the layers that formats and int8 are made from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from making.tiny_run import SIDE, make_tiny_run, run_record
from safetensors.torch import save_file
from torch import nn

from export.sources.run_folder import RunSource
from models.architectures import find_architecture
from models.errors import InputError
from models.run_folder import MODEL, hash_files, read_run, write_record
from models.torchvision_import import import_torchvision_models

import_torchvision_models()  # timm imports torchvision
pytest.importorskip("timm")


def run_folder_of(arch: str, folder: Path) -> Path:
    make_tiny_run(folder)
    torch.manual_seed(0)
    network = find_architecture(arch, SIDE).build(2)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / MODEL)
    write_record(folder, run_record(hash_files(folder)).model_copy(update={"arch": arch}))
    return folder


@pytest.mark.parametrize(
    "arch",
    [
        "mobilenet_v3_small",
        "efficientnet_b0",
        "resnet18",
        "shufflenet_v2_x1_0",
        "squeezenet1_1",
        "densenet121",
        "timm/test_efficientnet",
        "timm/test_vit",
    ],
)
def test_the_layers_of_a_run_folders_network_give_its_outputs(arch: str, tmp_path: Path) -> None:
    source = RunSource(run_folder_of(arch, tmp_path / "run"))
    image = np.random.default_rng(0).random((1, 3, SIDE, SIDE), np.float32)

    (logits,) = source.run([image])
    layers = source.layered()
    with torch.inference_mode():
        layered = layers(torch.from_numpy(image)).numpy()

    assert np.ptp(logits) > 0
    weighted = [module for module in layers.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert weighted
    assert all(module.bias is not None for module in weighted)
    np.testing.assert_allclose(layered, logits, rtol=1e-3, atol=1e-5 * float(np.abs(logits).max()))


def test_an_unknown_network_in_a_run_folder_is_an_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    make_tiny_run(tmp_path / "run")
    record = run_record(hash_files(tmp_path / "run")).model_copy(update={"arch": "resnet19"})
    write_record(tmp_path / "run", record)

    with pytest.raises(InputError, match=r"'arch' is 'resnet19', .*vgg16, and timm/NAME"):
        read_run(tmp_path / "run")
