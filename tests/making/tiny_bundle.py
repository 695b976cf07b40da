"""A real bundle of a tiny network in three formats, made without training."""

from pathlib import Path

import numpy as np
import onnx
import openvino
import torch

from bench.bundle.evaluation_pack import FILE_NAME, EvaluationPack, write_pack
from bench.bundle.manifest import (
    ArtifactRecord,
    Manifest,
    ModelRecord,
    PackRecord,
    VerificationRecord,
    describe,
    read_bundle,
    write_manifest,
)
from bench.bundle.preprocessing import unit_rgb
from bench.bundle.variants import Precision

IMAGES = 40
SIDE = 32


class TinyNetwork(torch.nn.Module):
    """One convolution, a pool and a linear layer; deterministic."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = torch.nn.Conv2d(3, 4, 3, stride=2)
        self.head = torch.nn.Linear(4, 2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(torch.relu(self.convolution(image)).mean(dim=(2, 3)))
        return logits


def make_tiny_bundle(folder: Path) -> Path:
    """Write a bundle with onnx-fp32, openvino-fp32 and torchscript-fp32 into `folder`."""
    network = TinyNetwork().eval()
    pack = _pack(network)
    folder.mkdir(parents=True, exist_ok=True)
    write_pack(folder / FILE_NAME, pack)
    artifacts = (
        _artifact(folder, "torchscript", _to_torchscript(folder, network)),
        _artifact(folder, "onnx", _to_onnx(folder, network)),
        _artifact(folder, "openvino", _to_openvino(folder, network)),
    )
    write_manifest(
        folder,
        Manifest(
            schema=2,
            tool="0",
            name="tiny",
            created="2026-01-01T00:00:00+00:00",
            model=ModelRecord(
                arch="tiny", classes=("normal", "pneumonia"), image_size=SIDE, weights="none", data="noise"
            ),
            preprocessing=unit_rgb(SIDE),
            pack=PackRecord(file=describe(folder, folder / FILE_NAME), images=IMAGES, positive_class=1),
            artifacts=artifacts,
        ),
    )
    return folder


def _pack(network: TinyNetwork) -> EvaluationPack:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (IMAGES, SIDE, SIDE), dtype=np.uint8)
    labels = random.integers(0, 2, IMAGES)
    batch = torch.from_numpy(images).float().div(255)[:, None].repeat(1, 3, 1, 1)
    with torch.inference_mode():
        logits = network(batch).numpy()
    # Half the answers right, half wrong, whatever the untrained network says.
    labels = np.where(np.arange(IMAGES) % 2 == 0, logits.argmax(1), labels).astype(np.int64)
    return EvaluationPack(images, labels, logits)


def _to_torchscript(folder: Path, network: TinyNetwork) -> Path:
    path = folder / "torchscript-fp32" / "model.pt"
    path.parent.mkdir()
    traced = torch.jit.trace(network, torch.zeros(1, 3, SIDE, SIDE))  # type: ignore[no-untyped-call]
    traced.save(str(path))
    return path


def _to_onnx(folder: Path, network: TinyNetwork) -> Path:
    """Write the graph by hand: faster than torch's exporter, and it keeps this independent of export/."""
    path = folder / "onnx-fp32" / "model.onnx"
    path.parent.mkdir()
    helper = onnx.helper
    weights = {name.replace(".", "_"): value.numpy() for name, value in network.state_dict().items()}
    nodes = [
        helper.make_node("Conv", ["image", "convolution_weight", "convolution_bias"], ["c"], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "head_weight", "head_bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1, 2])],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def _to_openvino(folder: Path, network: TinyNetwork) -> Path:
    path = folder / "openvino-fp32" / "model.xml"
    path.parent.mkdir()
    openvino.save_model(
        openvino.Core().read_model(folder / "onnx-fp32" / "model.onnx"), path, compress_to_fp16=False
    )
    return path


def _artifact(folder: Path, format_name: str, entry: Path) -> ArtifactRecord:
    return ArtifactRecord(
        variant=f"{format_name}-fp32",
        format=format_name,
        precision=Precision.FP32,
        entry=entry.relative_to(folder).as_posix(),
        files=tuple(describe(folder, path) for path in sorted(entry.parent.iterdir())),
        producer="test",
        verification=VerificationRecord(
            images=IMAGES,
            largest_difference=0.0,
            sqnr_db=None,
            agreement=1.0,
            flips=(),
            retention=1.0,
            retention_ci95=(0.9, 1.1),
            mcnemar_p=1.0,
        ),
        seconds=0.0,
    )


def entry_of(bundle_folder: Path, variant: str) -> Path:
    """Return the file by which a variant of a bundle is loaded."""
    bundle = read_bundle(bundle_folder)
    return bundle.folder / bundle.select([variant])[0].entry
