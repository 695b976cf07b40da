"""Bundles as an export of somebody's ONNX file gives them, of every kind of data and output, made by hand.

Each has three variants: the file itself, one whose weights are a little off, and one that was not made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from bench.bundle.evaluation_pack import FILE_NAME, EvaluationPack, Labels, write_pack
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.judged_output import judged_values, stacked
from bench.bundle.manifest import (
    ArtifactRecord,
    Manifest,
    ModelRecord,
    NotMade,
    PackRecord,
    VerificationRecord,
    describe,
    write_manifest,
)
from bench.bundle.model_set import InputOrigin
from bench.bundle.signature import Signature, Tensor
from bench.bundle.source_record import (
    OutputRecord,
    PreprocessCheck,
    RivalRecord,
    SourceKind,
    SourceRecord,
)
from bench.bundle.tensor_pack import TensorPack
from bench.bundle.variants import Precision
from bench.statistics import accuracy
from bench.statistics.scores import decisions

IMAGES, SIDE, FEATURES = 40, 8, 4
NOT_MADE = "the source is an ONNX file, and TorchScript needs a network of torch"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Kind:
    """What a source takes and gives."""

    output: Literal["classes", "labels", "values"] = "classes"
    activation: Literal["logits", "softmax", "sigmoid", "none"] = "logits"
    values: int = 3
    labelled: bool = True
    layout: Literal["NCHW", "NHWC"] | None = "NCHW"
    """None: two ready arrays instead of an image."""
    dtype: Literal["float32", "uint8"] = "float32"
    names: bool = True

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return 2 if self.output == "classes" and self.values == 1 else self.values


KINDS = {
    "unlabelled": Kind(labelled=False),
    "labels": Kind("labels", "sigmoid"),
    "one sigmoid": Kind(activation="sigmoid", values=1),
    "values": Kind("values", "none", 6, labelled=False, layout=None, names=False),
    "seven classes": Kind(activation="softmax", values=7, layout="NHWC", dtype="uint8", names=False),
    "three classes": Kind(),
}


def make_source_bundle(folder: Path, kind: Kind) -> Path:
    """Write a bundle with onnx-fp32 and onnx-int8, which is float in truth, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(3)
    inputs = _inputs(kind)
    weights = 4 * random.standard_normal((FEATURES, kind.values)).astype(np.float32)
    off = weights + 0.5 * random.standard_normal(weights.shape).astype(np.float32)
    pack, entries = _unanswered_pack(kind, random), []
    for precision, own in (("fp32", weights), ("int8", off)):
        entries.append(folder / f"onnx-{precision}" / "model.onnx")
        entries[-1].parent.mkdir()
        onnx.save(_model(kind, inputs, own), entries[-1])
    output = OutputRecord(name="scores", index=0, kind=kind.output, activation=kind.activation)
    reference, other = (_answers(entry, pack, inputs, output) for entry in entries)
    pack = replace(pack, reference_logits=reference, labels=_labels(kind, reference, random))
    write_pack(folder / FILE_NAME, pack)
    signature = Signature(
        inputs=inputs, outputs=(Tensor(name="scores", dtype="float32", shape=(1, kind.values)),)
    )
    names = tuple(f"finding {index}" for index in range(kind.classes)) if kind.names else ()
    has_images = kind.layout is not None
    manifest = Manifest(
        schema=2,
        tool="0",
        name="theirs",
        created="2026-01-01T00:00:00+00:00",
        model=ModelRecord(
            arch="theirs.onnx",
            classes=names,
            image_size=SIDE if has_images else None,
            weights="theirs.onnx",
            data="photos",
            source=SourceRecord(
                kind=SourceKind.ONNX,
                name="theirs.onnx",
                sha256="0" * 64,
                variant="onnx-fp32",
                signature=signature,
                output=output,
                origins=(InputOrigin(keys=("scale", "mean"), origin="--preprocess imagenet"),)
                if has_images
                else (),
                check=_check() if kind.labelled and has_images else None,
            ),
        ),
        preprocessing=_preprocess(kind),
        pack=PackRecord(
            file=describe(folder, folder / FILE_NAME),
            images=IMAGES,
            positive_class=1 if kind.labelled and kind.output == "classes" and kind.classes == 2 else None,
            labelled=kind.labelled,
        ),
        artifacts=tuple(
            _artifact(folder, entry, values, pack, output, signature)
            for entry, values in zip(entries, (reference, other), strict=True)
        ),
        not_made=(NotMade(variant="torchscript-fp32", reason=NOT_MADE),),
    )
    write_manifest(folder, manifest)
    return folder


def _inputs(kind: Kind) -> tuple[Tensor, ...]:
    if kind.layout is None:
        return (
            Tensor(name="age", dtype="float32", shape=(1, 1)),
            Tensor(name="signal", dtype="float32", shape=(1, FEATURES - 1)),
        )
    shape = (1, 3, SIDE, SIDE) if kind.layout == "NCHW" else (1, SIDE, SIDE, 3)
    return (Tensor(name="image", dtype=kind.dtype, shape=shape),)


def _preprocess(kind: Kind) -> Preprocess | None:
    if kind.layout is None:
        return None
    is_raw = kind.dtype == "uint8"
    return Preprocess(
        input_size=(3, SIDE, SIDE),
        resize="squash",
        scale=1 if is_raw else 1 / 255,
        mean=(0.0,) * 3 if is_raw else (0.5,) * 3,
        std=(1.0,) * 3 if is_raw else (0.25,) * 3,
        channels="rgb",
    )


def _check() -> PreprocessCheck:
    return PreprocessCheck(
        images=40,
        correct=38,
        rivals=(
            RivalRecord(name="values from 0 to 255", correct=12, verdict="worse"),
            RivalRecord(name="BGR", correct=38, verdict="equal"),
        ),
    )


def _unanswered_pack(kind: Kind, random: np.random.Generator) -> EvaluationPack:
    nothing = np.zeros((IMAGES, 1), dtype=np.float32)
    if kind.layout is None:
        arrays = (random.standard_normal((IMAGES, 1, 1)), random.standard_normal((IMAGES, 1, FEATURES - 1)))
        tensors = TensorPack(tuple(array.astype(np.float32) for array in arrays))
        return EvaluationPack(None, None, nothing, tensors=tensors)
    colours = random.integers(0, 256, (IMAGES, 1, 1, 3))
    images = np.broadcast_to(colours, (IMAGES, SIDE, SIDE, 3)).astype(np.uint8)
    return EvaluationPack(images, None, nothing, preprocess=_preprocess(kind))


def _labels(kind: Kind, reference: Floats, random: np.random.Generator) -> Labels | None:
    """Return labels that the source gets right for three quarters of the images."""
    if not kind.labelled:
        return None
    if kind.output == "labels":
        right, other = (reference > 0.5).astype(np.int64), random.integers(0, 2, reference.shape)
        return np.where(np.arange(IMAGES)[:, None] % 4 == 0, other, right)
    decided = reference.argmax(axis=1) if kind.values > 1 else (reference[:, 0] > 0.5).astype(np.int64)
    labels: Labels = np.where(np.arange(IMAGES) % 4 == 0, random.integers(0, kind.classes, IMAGES), decided)
    return labels


def _model(kind: Kind, inputs: Sequence[Tensor], weights: Floats) -> onnx.ModelProto:
    """Return a model that makes scores of the mean colour of an image, or of two arrays."""
    node = onnx.helper.make_node
    if kind.layout is None:
        nodes = [node("Concat", ["age", "signal"], ["features"], axis=1)]
    else:
        axes = [2, 3] if kind.layout == "NCHW" else [1, 2]
        nodes = [
            node("Cast", ["image"], ["float"], to=onnx.TensorProto.FLOAT),
            node("ReduceMean", ["float"], ["colour"], axes=axes, keepdims=0),
            node("Mul", ["colour", "factor"], ["small"]),
            node("Pad", ["small", "pads", "one"], ["features"]),
        ]
    last = {"softmax": "Softmax", "sigmoid": "Sigmoid"}.get(kind.activation, "Identity")
    nodes += [node("Gemm", ["features", "weights", "bias"], ["raw"]), node(last, ["raw"], ["scores"])]
    from_array, types = onnx.numpy_helper.from_array, onnx.helper.np_dtype_to_tensor_dtype
    factor = np.float32(1 / 255 if kind.dtype == "uint8" else 1)
    graph = onnx.helper.make_graph(
        nodes,
        "theirs",
        [
            onnx.helper.make_tensor_value_info(tensor.name, types(np.dtype(tensor.dtype)), tensor.shape)
            for tensor in inputs
        ],
        [onnx.helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, [1, kind.values])],
        [
            from_array(weights, "weights"),
            from_array(-weights.mean(axis=0) / 2, "bias"),
            from_array(np.array([0, 0, 0, 1], dtype=np.int64), "pads"),
            from_array(np.array(1, dtype=np.float32), "one"),
            from_array(np.array(factor), "factor"),
        ],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)


def _answers(entry: Path, pack: EvaluationPack, inputs: Sequence[Tensor], output: OutputRecord) -> Floats:
    session = onnxruntime.InferenceSession(str(entry), providers=["CPUExecutionProvider"])
    rows = []
    for index in range(IMAGES):
        arrays = pack.inputs(index, inputs)
        given = {tensor.name: array for tensor, array in zip(inputs, arrays, strict=True)}
        rows.append(judged_values(session.run(None, given), output))
    return stacked(rows)


def _artifact(
    folder: Path,
    entry: Path,
    values: Floats,
    pack: EvaluationPack,
    output: OutputRecord,
    signature: Signature,
) -> ArtifactRecord:
    own = decisions(values, pack.labels, output)
    right = decisions(pack.reference_logits, pack.labels, output)
    paired = None
    if own is not None and right is not None and own.labels is not None:
        paired = accuracy.pair(own.scores, right.scores, own.labels)
    decided = None if own is None or right is None else (own.scores, right.scores)
    return ArtifactRecord(
        variant=entry.parent.name,
        format="onnx",
        precision=Precision(entry.parent.name.partition("-")[2]),
        entry=entry.relative_to(folder).as_posix(),
        files=(describe(folder, entry),),
        producer="test",
        verification=VerificationRecord(
            images=IMAGES,
            largest_difference=accuracy.largest_difference(values, pack.reference_logits),
            sqnr_db=accuracy.sqnr_db(values, pack.reference_logits),
            agreement=None if decided is None else accuracy.agreement(*decided),
            flips=() if decided is None else tuple(accuracy.flips(*decided)),
            retention=None if paired is None else paired.retention,
            retention_ci95=None if paired is None else paired.retention_ci95(),
            mcnemar_p=None if paired is None else paired.mcnemar_p(),
        ),
        seconds=0.0,
        signature=signature,
    )
