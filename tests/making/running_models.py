"""Runs a model file in this process as a worker does: describes, loads and runs it, and reads its graph."""

from dataclasses import dataclass
from pathlib import Path

from bench.bundle.file_kinds import kind_of_file
from bench.bundle.signature import ModelDescription, Outputs, Shapes, Tensor, with_shapes
from bench.bundle.tensor_pack import random_pack
from bench.harness.output_values import outputs_of
from bench.measurements import Executed, OutputValues
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions


@dataclass(frozen=True)
class RanModel:
    """What came of a model file."""

    description: ModelDescription
    inputs: tuple[Tensor, ...]
    inferences: list[Outputs]
    outputs: tuple[OutputValues, ...]
    executed: Executed

    @property
    def macs(self) -> list[int | None]:
        """The multiply-accumulates of each operator."""
        return [operator.macs for operator in self.executed.operators]


def run_model(path: Path, shapes: Shapes | None = None) -> RanModel:
    """Run a model file on random inputs."""
    format_ = kind_of_file(path, path.read_bytes()).format
    assert format_ is not None
    runtime = load_runtime(format_)
    description = runtime.describe(path)
    signature = description.signature
    inputs = with_shapes(path.name, signature.inputs, shapes or {})
    is_open = not all(tensor.is_fixed for tensor in signature.inputs)
    options = LoadOptions(
        RunConfig(threads=1, provider=FORMATS[format_].provider),
        precision=description.precision,
        inputs=inputs if is_open else (),
    )
    session, pack = runtime.load(path, options), random_pack(inputs)
    inferences = [session.infer(pack.inputs(index)) for index in range(len(pack))]
    outputs = outputs_of(inferences, [tensor.name for tensor in signature.outputs], 1000)
    written = tuple(OutputValues.model_validate_json(output.model_dump_json()) for output in outputs)
    assert written == outputs
    return RanModel(description, inputs, inferences, outputs, session.executed(pack.inputs(0)))
