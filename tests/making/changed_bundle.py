"""Bundles that differ from a real one in something known: how long they infer, or what they answer."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from bench.bundle.manifest import MANIFEST, describe

_CHANNELS = 16
_CORNER = 14
Change = Callable[[onnx.ModelProto], None]


def changed(bundle: Path, target: Path, changes: Mapping[str, Change]) -> Path:
    """Copy a bundle to `target` with some ONNX variants changed, and a manifest that fits them."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(bundle, target)
    path = target / MANIFEST
    manifest = json.loads(path.read_text())
    for artifact in manifest["artifacts"]:
        if (change := changes.get(artifact["variant"])) is not None:
            model = onnx.load(target / artifact["entry"])
            change(model)
            onnx.save(model, target / artifact["entry"])
            artifact["files"] = [
                describe(target, target / file["path"]).model_dump(mode="json") for file in artifact["files"]
            ]
    path.write_text(json.dumps(manifest))
    return target


def slowed(convolutions: int) -> Change:
    """Have a network run so many more convolutions, 16 to 16 channels, whose sum is added 0 times."""

    def change(model: onnx.ModelProto) -> None:
        graph, image, logits = model.graph, model.graph.input[0].name, model.graph.output[0].name
        random = np.random.default_rng(0)
        for name, channels in (("slow.first", 3), ("slow.more", _CHANNELS)):
            weight = random.normal(0, 0.05, (_CHANNELS, channels, 3, 3)).astype(np.float32)
            graph.initializer.append(numpy_helper.from_array(weight, name))
        graph.initializer.append(numpy_helper.from_array(np.array([0], dtype=np.float32), "slow.times"))
        for name, values in (
            ("slow.axes", [-1]),
            ("slow.begin", [0, 0]),
            ("slow.end", [_CORNER, _CORNER]),
            ("slow.sides", [2, 3]),
        ):
            graph.initializer.append(numpy_helper.from_array(np.array(values, dtype=np.int64), name))
        for node in graph.node:
            node.output[:] = ["slow.from" if name == logits else name for name in node.output]
        nodes = [
            helper.make_node("Slice", [image, "slow.begin", "slow.end", "slow.sides"], ["slow.image"]),
            helper.make_node("Conv", ["slow.image", "slow.first"], ["slow.0"], pads=[1] * 4),
        ]
        for number in range(convolutions):
            given, result = f"slow.{number}", f"slow.{number + 1}"
            nodes.append(helper.make_node("Conv", [given, "slow.more"], [result], pads=[1] * 4))
        nodes += [
            helper.make_node("GlobalAveragePool", [f"slow.{convolutions}"], ["slow.pool"]),
            helper.make_node("Flatten", ["slow.pool"], ["slow.flat"]),
            helper.make_node("ReduceSum", ["slow.flat", "slow.axes"], ["slow.sum"], keepdims=1),
            helper.make_node("Mul", ["slow.sum", "slow.times"], ["slow.nothing"]),
            helper.make_node("Add", ["slow.from", "slow.nothing"], [logits]),
        ]
        graph.node.extend(nodes)

    return change


def flipping(shift: float) -> Change:
    """Have a network of two classes favour the first: `shift` is added to its logit."""

    def change(model: onnx.ModelProto) -> None:
        graph, logits = model.graph, model.graph.output[0].name
        for node in graph.node:
            node.output[:] = ["shifted.from" if name == logits else name for name in node.output]
        graph.initializer.append(numpy_helper.from_array(np.array([[shift, 0]], dtype=np.float32), "shift"))
        graph.node.append(helper.make_node("Add", ["shifted.from", "shift"], [logits], name="shift_logits"))

    return change
