"""Bundles of networks that are no run folder, in ONNX and OpenVINO: made by hand, without export."""

from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile

import numpy as np
import openvino
from onnx import TensorProto
from PIL import Image

from bench.bundle.evaluation_pack import FILE_NAME, EvaluationPack, write_pack
from bench.bundle.image_folder import read_image
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.judged_output import judged_values, stacked
from bench.bundle.manifest import (
    ArtifactRecord,
    Manifest,
    ModelRecord,
    PackRecord,
    VerificationRecord,
    describe,
    write_manifest,
)
from bench.bundle.model_set import InputOrigin
from bench.bundle.signature import Signature, Tensor, with_shapes
from bench.bundle.source_record import (
    OutputRecord,
    PreprocessCheck,
    RivalRecord,
    SourceKind,
    SourceRecord,
)
from bench.bundle.tensor_pack import random_pack
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes import run_onnx, run_openvino
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions
from making.onnx_models import constant, node, several, tensor, weight, write

CHECK = PreprocessCheck(
    images=64,
    correct=60,
    rivals=(
        RivalRecord(name="values from 0 to 255", correct=20, verdict="worse"),
        RivalRecord(name="crop instead of squash", correct=60, verdict="equal"),
    ),
)


@dataclass(frozen=True)
class Made:
    """A bundle and what an example of it is run on."""

    folder: Path
    """The bundle."""
    given: Path
    """The image or the .npz file that is the first sample of its evaluation pack."""


@dataclass(frozen=True)
class ImageNetwork:
    """A network that takes images: one convolution, a pooling, a linear layer and an activation."""

    preprocess: Preprocess
    """How an image becomes its input."""
    output: OutputRecord
    """The output that is judged."""
    layout: str = "NCHW"
    """The order of its input's axes."""
    dtype: str = "float32"
    """The type of its input."""
    batch: int = 1
    """How many images it takes at once."""
    scores: int = 3
    """How many scores it gives."""
    end: str | None = None
    """The ONNX operator of its activation."""
    classes: tuple[str, ...] = ()
    """The names of its classes or labels."""
    has_features: bool = False
    """Whether its first output holds the features before the pooling."""
    check: PreprocessCheck | None = None
    """How its preprocessing was checked."""

    @property
    def tensor(self) -> Tensor:
        """Its input."""
        channels, height, width = self.preprocess.input_size
        axes = (channels, height, width) if self.layout == "NCHW" else (height, width, channels)
        return Tensor(name="image", dtype=self.dtype, shape=(self.batch, *axes))

    def write(self, path: Path) -> Path:
        """Write it as ONNX."""
        perm = [0, 1, 2, 3] if self.layout == "NCHW" else [0, 3, 1, 2]
        nodes = [
            node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
            node("Transpose", ["float"], ["nchw"], perm=perm),
            node("Mul", ["nchw", "factor"], ["scaled"]),
            node("Conv", ["scaled", "w"], ["features"], name="conv"),
            node("GlobalAveragePool", ["features"], ["pooled"]),
            node("Flatten", ["pooled"], ["flat"]),
            node("Gemm", ["flat", "m"], ["logits" if self.end else "scores"]),
            *([node(self.end, ["logits"], ["scores"])] if self.end else []),
        ]
        height, width = self.preprocess.size
        features = tensor("features", (self.batch, 4, height - 2, width - 2))
        outputs = [*([features] if self.has_features else []), tensor("scores", (self.batch, self.scores))]
        dtype = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}[self.dtype]
        # 8-bit values become small ones in the network, so that no probability is 1.
        factor = constant("factor", 1 / 255 if self.preprocess.scale == 1 else 1, np.float32)
        weights = [factor, weight("w", 4, self.preprocess.input_size[0], 3, 3), weight("m", 4, self.scores)]
        return write(path, nodes, [tensor("image", self.tensor.sizes, dtype)], outputs, weights)


def make_image_bundle(folder: Path, network: ImageNetwork) -> Made:
    """Write the bundle of a network that takes images, without labels, and two images that are not square."""
    random, preprocess = np.random.default_rng(0), network.preprocess
    images = [folder.with_name(f"{folder.name}-{index}.png") for index in range(2)]
    for path in images:
        # A tint, so that the order of the channels matters.
        tinted = random.integers(0, 256, (45, 60, 3)) * (1.0, 0.6, 0.2)
        Image.fromarray(tinted.astype(np.uint8)).save(path)
    pixels = np.stack([read_image(path, preprocess) for path in images])
    entry = network.write(_new_entry(folder, "onnx"))
    pack = _answered(EvaluationPack(pixels, None, _NOTHING, preprocess), entry, network.output)
    origins = (InputOrigin(keys=("resize", "mean"), origin="config.json"),)
    source = _source_of(entry, network.output).model_copy(update={"origins": origins, "check": network.check})
    _write_bundle(folder, entry, pack, source, network.classes)
    return Made(folder, images[0])


def make_tensor_bundle(folder: Path) -> Made:
    """Write the bundle of a network with two inputs that are no images, and three outputs."""
    entry = several(_new_entry(folder, "onnx"))
    output = OutputRecord(name="logits", index=1, kind="values", activation="none")
    source = _source_of(entry, output)
    tensors = random_pack(source.signature.inputs, 2)
    pack = _answered(EvaluationPack(None, None, _NOTHING, tensors=tensors), entry, output)
    _write_bundle(folder, entry, pack, source, ())
    given = folder.with_name(f"{folder.name}.npz")
    ids, mask = tensors.inputs(0)
    np.savez(given, ids=ids, mask=mask)
    return Made(folder, given)


def make_bundle_of_file(folder: Path, format_name: str, file: Path, shape: tuple[int, ...]) -> Made:
    """Write the bundle of a model file that takes images [1, 3, height, width], and has scores."""
    entry = _new_entry(folder, format_name)
    for suffix in FORMATS[format_name].suffixes:
        copyfile(file.with_suffix(suffix), entry.with_suffix(suffix))
    runtime = load_runtime(format_name)
    stated = runtime.describe(entry).signature
    signature = stated.model_copy(
        update={"inputs": with_shapes(file.name, stated.inputs, {stated.inputs[0].name: shape})}
    )
    given = folder.with_name(f"{folder.name}.png")
    random = np.random.default_rng(0).integers(0, 256, (*shape[2:], 3), dtype=np.uint8)
    Image.fromarray(random).save(given)
    preprocess = Preprocess(
        input_size=(3, shape[2], shape[3]), resize="none", mean=(0.0,) * 3, std=(1.0,) * 3, channels="rgb"
    )
    scores = stated.outputs[0]
    output = OutputRecord(
        name=scores.name, index=0, kind="classes", activation="logits", quantisation=scores.quantisation
    )
    pack = EvaluationPack(read_image(given, preprocess)[None], None, _NOTHING[:1], preprocess)
    session = runtime.load(entry, LoadOptions(RunConfig(threads=1, provider="cpu")))
    row = judged_values(session.infer(pack.inputs(0, signature.inputs)), output)
    source = SourceRecord(
        kind=SourceKind.LITERT,
        name=file.name,
        sha256="ab" * 32,
        variant=entry.parent.name,
        signature=signature,
        output=output,
    )
    artifacts = (_artifact(folder, entry, signature),)
    _write_manifest(folder, replace(pack, reference_logits=row[None]), source, (), artifacts)
    return Made(folder, given)


_NOTHING = np.zeros((2, 1), np.float32)


def _new_entry(folder: Path, format_name: str) -> Path:
    path = folder / f"{format_name}-fp32" / f"model{FORMATS[format_name].suffixes[0]}"
    path.parent.mkdir(parents=True)
    return path


def _source_of(entry: Path, output: OutputRecord) -> SourceRecord:
    return SourceRecord(
        kind=SourceKind.ONNX,
        name="net.onnx",
        sha256="ab" * 32,
        variant="onnx-fp32",
        signature=run_onnx.describe(entry).signature,
        output=output,
    )


def _answered(pack: EvaluationPack, entry: Path, output: OutputRecord) -> EvaluationPack:
    """Return the pack with the network's own outputs as the reference."""
    session = run_onnx.load(entry, LoadOptions(RunConfig(threads=1, provider="CPUExecutionProvider")))
    inputs = run_onnx.describe(entry).signature.inputs
    rows = [judged_values(session.infer(pack.inputs(index, inputs)), output) for index in range(len(pack))]
    return replace(pack, reference_logits=stacked(rows))


def _write_bundle(
    folder: Path, entry: Path, pack: EvaluationPack, source: SourceRecord, classes: tuple[str, ...]
) -> None:
    """Write the pack, the OpenVINO artifact and the manifest beside the ONNX artifact."""
    converted = _new_entry(folder, "openvino")
    openvino.save_model(openvino.Core().read_model(entry), converted, compress_to_fp16=False)
    artifacts = (
        _artifact(folder, entry, run_onnx.describe(entry).signature),
        _artifact(folder, converted, run_openvino.describe(converted).signature),
    )
    _write_manifest(folder, pack, source, classes, artifacts)


def _write_manifest(
    folder: Path,
    pack: EvaluationPack,
    source: SourceRecord,
    classes: tuple[str, ...],
    artifacts: tuple[ArtifactRecord, ...],
) -> None:
    write_pack(folder / FILE_NAME, pack)
    manifest = Manifest(
        schema=2,
        tool="0",
        name=folder.name,
        created="2026-01-01T00:00:00+00:00",
        model=ModelRecord(
            arch="net.onnx",
            classes=classes,
            image_size=None,
            weights="net.onnx",
            data="photos",
            source=source,
        ),
        preprocessing=pack.preprocess,
        pack=PackRecord(file=describe(folder, folder / FILE_NAME), images=len(pack), labelled=False),
        artifacts=artifacts,
    )
    write_manifest(folder, manifest)


def _artifact(folder: Path, entry: Path, signature: Signature) -> ArtifactRecord:
    variant = entry.parent.name
    return ArtifactRecord(
        variant=variant,
        format=variant.partition("-")[0],
        precision=Precision.FP32,
        entry=entry.relative_to(folder).as_posix(),
        files=tuple(describe(folder, path) for path in sorted(entry.parent.iterdir())),
        producer="test",
        verification=VerificationRecord(
            images=2,
            largest_difference=0.0,
            sqnr_db=60.0,
            agreement=1.0,
            flips=(),
            retention=None,
            retention_ci95=None,
            mcnemar_p=None,
        ),
        seconds=0.0,
        signature=signature,
    )
