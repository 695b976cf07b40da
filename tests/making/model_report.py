"""Reports of model files with known latencies and outputs, for tests of rendering, choosing and comparing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.bundle.model_set import InputsRecord, ModelFileRecord, ModelSetRecord
from bench.bundle.signature import Signature, Tensor, batch_of
from bench.bundle.variants import CONTROL_VARIANT, Precision
from bench.devices.terms import Provenance
from bench.harness.plan import Case, ModelInputs
from bench.measurements import Completed, Failed, FailureKind, Outcome, OutputValues, Skipped, Stage
from bench.report.schema import Report
from bench.report.summaries import References
from bench.run.rows import RowContext, row_of_case
from bench.run_config import RunConfig
from device_profiles.loading import load_profile
from making.compared_report import Row, outcome
from making.tiny_report import HOST, case_of, make_report

IMAGE = Tensor(name="image", dtype="float32", shape=(1, 3, 32, 32))
BATCHED_BYTES = Tensor(name="pixels", dtype="uint8", shape=(8, 48, 32, 1))
RANDOM = "random values"
CRASHED = Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message="died of SIGSEGV")
NO_RUNTIME = Skipped(
    reason="torch is not installed here; install it with: pip install 'edgefit[torchscript]'"
)


def classified(*classes: int, name: str = "logits") -> OutputValues:
    """An output of three classes: the class of each inference."""
    values = tuple(tuple(float(index == answer) for index in range(3)) for answer in classes)
    return OutputValues(name=name, shape=(1, 3), classes=classes, values=values)


def unclassified(*values: float, name: str = "mask") -> OutputValues:
    """An output without classes, of one inference."""
    return OutputValues(name=name, shape=(1, len(values), 1, 2), classes=None, values=(values,))


@dataclass(frozen=True)
class ModelRow(Row):
    """What a model file has beside its latency, memory and size."""

    format: str = "onnx"
    precision: Precision = Precision.FP32
    inputs: tuple[Tensor, ...] = (IMAGE,)
    outputs: tuple[OutputValues, ...] = (classified(0, 1, 2, 0, 1),)
    source: str = RANDOM
    failed: Outcome | None = None
    """Its outcome in the place of measurements."""

    @property
    def inputs_sha256(self) -> str:
        """A hash that is the same for the same inputs."""
        return hashlib.sha256(repr(self.inputs).encode()).hexdigest()

    def record(self, name: str) -> ModelFileRecord:
        """What the report says of the file."""
        outputs = tuple(Tensor(name=output.name, dtype="float32", shape=None) for output in self.outputs)
        return ModelFileRecord(
            name=name,
            path=f"/models/{name}",
            format=self.format,
            precision=self.precision,
            sha256=f"{len(name):064x}",
            size_bytes=self.size,
            signature=Signature(inputs=self.inputs, outputs=outputs),
            inputs=self.inputs,
            values=InputsRecord(source=self.source, inferences=5, sha256=self.inputs_sha256),
        )

    def case(self, name: str) -> Case:
        """Its case."""
        inputs = ModelInputs(Path("inputs.npz"), self.inputs_sha256, 5, (), has_open_axes=False)
        return replace(
            case_of(f"{self.format}-{self.precision.value}"),
            variant=name,
            inputs=self.inputs,
            size_bytes=self.size,
            config=RunConfig(provider=self.provider, threads=2, batch=batch_of(self.inputs, ())),
            model=inputs,
        )

    def outcome(self) -> Outcome:
        """Its measurements, or why there are none."""
        if self.failed is not None:
            return self.failed
        changes = {"logits": None, "outputs": self.outputs, "inputs_sha256": self.inputs_sha256}
        return outcome(self, self.precision.value).model_copy(update=changes)


def model_report(
    rows: Mapping[str, ModelRow],
    profile: str = "laptop-cpu",
    provenance: Provenance = "measured",
    **changes: object,
) -> Report:
    """A report of these model files by name, the first of which is the reference."""
    outcomes = {name: (row.case(name), row.outcome()) for name, row in rows.items()}
    outcomes[CONTROL_VARIANT] = case_of(CONTROL_VARIANT), _control()
    known = load_profile(profile)
    context = RowContext(evaluation=None, profile=known, provenance=provenance, quick=False, cpu_class=None)
    by_case = {case.id: result for case, result in outcomes.values()}
    runs = tuple(
        row_of_case(case, result, context, References.of(case.format, case.config.provider, by_case))
        for case, result in outcomes.values()
    )
    models = ModelSetRecord(models=tuple(row.record(name) for name, row in rows.items()))
    kind = {"bundle": None, "evaluation": None, "models": models, "name": models.name}
    update = {"profile": known, "runs": runs, "quick": False, "warnings": (), "host": HOST}
    return make_report().model_copy(update=update | kind | changes)


def _control() -> Completed:
    return outcome(Row(1.0)).model_copy(update={"logits": None, "executed": None})


def every_kind() -> dict[str, ModelRow]:
    """Model files of every kind that a table can show: an equal one, one that differs, gaps, other inputs."""
    mask = unclassified(1.0, 2.0, 3.0, 4.0)
    return {
        "net.onnx": ModelRow(10, outputs=(classified(0, 1, 2, 0, 1), mask)),
        "net.int8.onnx": ModelRow(
            4,
            size=2_500_000,
            precision=Precision.INT8,
            outputs=(classified(0, 1, 2, 0, 2), unclassified(1.0, 2.0, 3.0, 4.5)),
        ),
        "net.xml": ModelRow(
            6,
            size=4_600_000,
            format="openvino",
            precision=Precision.FP16,
            outputs=(classified(0, 1, 2, 0, 1), mask),
        ),
        "other-outputs.onnx": ModelRow(9, outputs=(classified(0, 1, 2, 0, 1), unclassified(1.0, 2.0))),
        "bytes.onnx": ModelRow(8, inputs=(BATCHED_BYTES,)),
        "broken.onnx": ModelRow(1, failed=CRASHED),
        "net.pt": ModelRow(1, format="torchscript", failed=NO_RUNTIME),
    }
