"""Checks of two made reports, for tests of how a check is shown."""

from collections.abc import Sequence

import numpy as np

from bench.bundle.model_set import RANDOM_VALUES, InputsRecord, ModelFileRecord, ModelSetRecord
from bench.bundle.signature import Outputs, Signature, Tensor
from bench.bundle.variants import Precision
from bench.gate.check_reports import check_reports
from bench.gate.document import Checked
from bench.gate.options import CheckOptions, Limits
from bench.harness.output_values import outputs_of
from bench.measurements import Outcome, OutputValues
from bench.report.schema import Report
from making.compared_report import Row, made_report


def report(**rows: Row | Outcome) -> Report:
    return made_report({name.replace("_", "-"): row for name, row in rows.items()})


def checked(candidate: Report, baseline: Report, strict: bool = False) -> Checked:
    options = CheckOptions(limits=Limits(max_slowdown=0.15), strict=strict)
    return check_reports(candidate, baseline, options, "0", "now")


INPUTS = 128


def random_inputs(count: int = INPUTS, sha256: str = "1" * 64) -> InputsRecord:
    """The record of random inputs."""
    return InputsRecord(source=RANDOM_VALUES, inferences=count, sha256=sha256)


def scores(flips: int = 0, count: int = INPUTS, name: str = "scores") -> tuple[OutputValues, ...]:
    """An output of three classes for so many inputs, of which the first ones have another class."""
    rows = [np.eye(3, dtype=np.float32)[[(index + (index < flips)) % 3]] for index in range(count)]
    return values_of([[row] for row in rows], name)


def values_of(inferences: Sequence[Outputs], *names: str) -> tuple[OutputValues, ...]:
    """What is kept of these outputs."""
    return outputs_of(inferences, names, max_values=128)


def model_report(
    name: str,
    outputs: tuple[OutputValues, ...],
    row: Row | None = None,
    side: int = 8,
    inputs: InputsRecord | None = None,
) -> Report:
    """A report of one model file."""
    inputs = inputs or random_inputs(len(outputs[0].values))
    images = (Tensor(name="images", dtype="float32", shape=(1, 3, side, side)),)
    model = ModelFileRecord(
        name=name,
        path=f"/models/{name}",
        format="onnx",
        precision=Precision.FP32,
        sha256="2" * 64,
        size_bytes=1000,
        signature=Signature(inputs=images, outputs=()),
        inputs=images,
        values=inputs,
    )
    made = made_report({"onnx-fp32": row or Row(10)})
    runs = []
    for run in made.runs:
        if run.is_variant and run.completed is not None:
            kept = {"logits": None, "outputs": outputs, "inputs_sha256": inputs.sha256}
            outcome = run.completed.model_copy(update=kept)
            run = run.model_copy(update={"case": name, "variant": name, "outcome": outcome})
        runs.append(run)
    record = ModelSetRecord(models=(model,))
    update = {"bundle": None, "evaluation": None, "models": record, "runs": tuple(runs)}
    return made.model_copy(update=update)
