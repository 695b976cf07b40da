"""Reports of bundles of every kind, with answers written down here and nothing measured."""

import numpy as np
import numpy.typing as npt

from bench.bundle.cpu_class import CpuClass
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.model_set import InputOrigin
from bench.bundle.signature import Tensor
from bench.bundle.source_record import OutputRecord, SourceKind
from bench.bundle.variants import CONTROL_VARIANT
from bench.harness.plan import Case
from bench.measurements import Outcome, Skipped
from bench.report.predictions import as_values
from bench.report.schema import BundleRecord, Evaluation, Report
from bench.report.summaries import References
from bench.run.rows import RowContext, row_of_case
from device_profiles.loading import load_profile
from making.compared_report import Row, bundle, made_report, outcome
from making.source_bundle import KINDS, NOT_MADE, SIDE, Kind
from making.tiny_report import case_of

IMAGES = 300
Values = npt.NDArray[np.float64]


def evaluation_of(kind: Kind, images: int = IMAGES) -> Evaluation:
    """The labels and the source's answers; a quarter of the labels are others than the source says."""
    random = np.random.default_rng(1)
    raw = 3 * random.standard_normal((images, kind.values))
    values = _activated(kind, raw)
    if kind.output == "labels":
        labels = np.where(random.random(raw.shape) < 0.25, raw < 0, raw > 0).astype(int)
    else:
        right = values.argmax(axis=1) if kind.values > 1 else (values[:, 0] > 0.5).astype(int)
        labels = np.where(np.arange(images) % 4 == 0, random.integers(0, kind.classes, images), right)
    return Evaluation(
        labels=_tuples(labels) if kind.labelled else None,
        reference_logits=tuple(tuple(map(float, row)) for row in values),
        positive_class=1 if kind.labelled and kind.output == "classes" and kind.classes == 2 else None,
        pack_images=images,
        output=OutputRecord(name="scores", index=0, kind=kind.output, activation=kind.activation),
    )


def _activated(kind: Kind, raw: Values) -> Values:
    if kind.activation == "sigmoid":
        return 1 / (1 + np.exp(-raw))
    if kind.activation == "softmax":
        softmax: Values = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
        return softmax
    return raw


def _tuples(labels: npt.NDArray[np.int64]) -> tuple[int, ...] | tuple[tuple[int, ...], ...]:
    if labels.ndim == 1:
        return tuple(map(int, labels))
    return tuple(tuple(map(int, row)) for row in labels)


def _near(values: tuple[tuple[float, ...], ...], error: float) -> tuple[tuple[float, ...], ...]:
    """The source's answers with noise: those of a variant."""
    noise = np.random.default_rng(2).standard_normal(as_values(values).shape)
    return tuple(tuple(map(float, row)) for row in as_values(values) + error * noise)


def source_bundle(kind: Kind) -> BundleRecord:
    """The record of such a bundle."""
    has_images = kind.layout is not None
    inputs = (
        (Tensor(name="image", dtype="float32", shape=(1, 3, SIDE, SIDE)),)
        if has_images
        else (
            Tensor(name="age", dtype="float32", shape=(1, 1)),
            Tensor(name="signal", dtype="float32", shape=(1, 3)),
        )
    )
    preprocess = Preprocess(
        input_size=(3, SIDE, SIDE), resize="crop", mean=(0.0,) * 3, std=(1.0,) * 3, channels="bgr"
    )
    return bundle(
        name="theirs",
        model="theirs.onnx",
        image_size=SIDE if has_images else None,
        classes=tuple(f"finding {index}" for index in range(kind.classes)) if kind.names else (),
        source=SourceKind.ONNX,
        inputs=inputs,
        output=evaluation_of(kind, 1).output,
        preprocess=preprocess if has_images else None,
        origins=(InputOrigin(keys=("scale",), origin="config.json"),) if has_images else (),
    )


def source_report(kind: Kind, error: float = 0.02, profile: str = "laptop-cpu") -> Report:
    """A report with onnx-fp32, onnx-int8 that is off by `error`, and a variant that was not made."""
    evaluation = evaluation_of(kind)
    exact = outcome(Row(10)).model_copy(update={"logits": evaluation.reference_logits})
    near = outcome(Row(4, size=2_500_000), "int8")
    near = near.model_copy(update={"logits": _near(evaluation.reference_logits, error)})
    control = outcome(Row(1.0)).model_copy(update={"logits": None, "executed": None})
    outcomes: dict[str, Outcome] = {
        "onnx-fp32": exact,
        "onnx-int8": near,
        "torchscript-fp32": Skipped(reason=NOT_MADE),
        CONTROL_VARIANT: control,
    }
    known = load_profile(profile)
    context = RowContext(evaluation, known, "measured", False, CpuClass.X86, bundle=source_bundle(kind))
    runs = tuple(
        row_of_case(case, outcomes[case.variant], context, References.of(case.format, "cpu", outcomes))
        for case in map(_case, outcomes)
    )
    changes = {"evaluation": evaluation, "runs": runs, "bundle": source_bundle(kind), "profile": known}
    return made_report({}, name="theirs").model_copy(update=changes)


def _case(variant: str) -> Case:
    return case_of(variant)


def every_report() -> dict[str, Report]:
    """A report of each kind."""
    return {name: source_report(kind) for name, kind in KINDS.items()}
