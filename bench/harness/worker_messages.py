"""The requests that the parent sends to a worker, and the worker's answers: one JSON document a line.

This module starts no process and measures nothing.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.bundle.judged_output import CLASSES
from bench.bundle.model_graph import ModelGraph
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import ModelDescription, Tensor
from bench.bundle.source_record import OutputRecord
from bench.bundle.variants import Precision
from bench.measurements import Executed, FailureKind, OutputValues, RepeatedInputs, SystemCounters
from bench.record import Record
from bench.run_config import RunConfig
from bench.system.sandbox import Confinement


class CheckReady(Record):
    """Answer as soon as the interpreter is ready."""

    kind: Literal["check_ready"] = "check_ready"


class Prepare(Record):
    """Import the runtime, and answer when that is done: nothing is timed."""

    kind: Literal["prepare"] = "prepare"
    module: str
    """Name of the runtime's module."""
    cpus: tuple[int, ...] | None
    """The CPUs to pin the process to; null: the kernel chooses."""


class Load(Record):
    """Import the runtime and load the artifact."""

    kind: Literal["load"] = "load"
    module: str
    """Name of the runtime's module."""
    entry: str
    """Path of the file that the runtime opens."""
    files: tuple[str, ...]
    """Paths of all files of the artifact."""
    config: RunConfig
    """Options of the case."""
    precision: Precision | None = Field(default=None, strict=False)
    """See LoadOptions."""
    engine: str | None = None
    """See LoadOptions."""
    foreign_engine: bool = False
    """See LoadOptions."""
    cpus: tuple[int, ...] | None
    """The CPUs to pin the process to; null: the kernel chooses."""
    inputs: tuple[Tensor, ...]
    """The inputs of one inference, with fixed shapes."""
    has_open_axes: bool = False
    """Whether the file leaves an axis open, so that the runtime has to load it for these shapes."""
    pack: str | None
    """Path of the evaluation pack, or of a model file's tensor pack, that has the inputs; null: each input is
    constant, so that no pack adds to a memory reading before `Predict` names one."""
    is_tensor_pack: bool = False
    """Whether `pack` is a tensor pack."""


class OutputsToKeep(Record):
    """What of an inference's outputs is compared with the accuracy pass."""

    judged: OutputRecord | None = None
    """The output of a bundle's artifact that is judged; null: all outputs of a model file."""
    names: tuple[str, ...] = ()
    """The outputs' names; empty where the format has none."""
    quantised: tuple[Quantisation | None, ...] = ()
    """How the integers of each output stand for floats; null where they do not."""
    max_values: int = 1
    """How many values of an output at most."""


class Infer(Record):
    """Run inferences and time each."""

    kind: Literal["infer"] = "infer"
    count: int
    """Number of timed inferences."""
    settle: int = 0
    """Number of inferences that run first and are not recorded."""
    keep_at: int | None = None
    """The timed inference whose outputs are returned, from 0; null for none."""
    to_keep: OutputsToKeep | None = None
    """What of its outputs is returned; null for nothing."""
    wait_until_idle: bool = True
    """Whether to answer only after the process's threads have stopped using the CPU."""


class WarmUp(Record):
    """Run inferences until latency is steady or a limit is reached."""

    kind: Literal["warm_up"] = "warm_up"
    max_inferences: int
    """The largest number of inferences."""
    limit_s: float
    """The longest duration in seconds."""


class ReadPeak(Record):
    """Read the memory high-water mark."""

    kind: Literal["read_peak"] = "read_peak"


class Predict(Record):
    """Return the judged values of samples `first` to `first + count - 1` of an evaluation pack."""

    kind: Literal["predict"] = "predict"
    pack: str
    """Path of the evaluation pack."""
    first: int
    """Index of the first sample."""
    count: int
    """Number of samples."""
    output: OutputRecord = CLASSES
    """The output that is judged."""


class ComputeOutputs(Record):
    """Return all outputs for the inferences `first` to `first + count - 1` of a tensor pack."""

    kind: Literal["compute_outputs"] = "compute_outputs"
    pack: str
    """Path of the tensor pack."""
    first: int
    """Index of the first inference."""
    count: int
    """Number of inferences."""
    names: tuple[str, ...]
    """The outputs' names; empty where the format has none."""
    quantised: tuple[Quantisation | None, ...] = ()
    """How the integers of each output stand for floats; null where they do not."""
    max_values: int
    """How many values of an output at most, for each inference."""


class Describe(Record):
    """Read a model file's signature, without measuring anything."""

    kind: Literal["describe"] = "describe"
    module: str
    """Name of the runtime's module."""
    entry: str
    """Path of the model file."""


class ReadGraph(Record):
    """Read a model file's graph as it is before optimisation, without measuring anything."""

    kind: Literal["read_graph"] = "read_graph"
    module: str
    """Name of the runtime's module."""
    entry: str
    """Path of the model file."""
    inputs: tuple[Tensor, ...] | None
    """The inputs of one inference, with fixed shapes; null: multiply-accumulates stay unknown."""


class TimeRepeats(Record):
    """Time inputs that the process never had, and then the same again."""

    kind: Literal["time_repeats"] = "time_repeats"
    pack: str
    """Path of the evaluation pack, or of a model file's tensor pack, whose inputs are changed to new ones."""
    is_tensor_pack: bool = False
    """Whether `pack` is a tensor pack."""


class Inspect(Record):
    """Read the runtime's executed graph."""

    kind: Literal["inspect"] = "inspect"


class Ready(Record):
    """The interpreter is ready."""

    kind: Literal["ready"] = "ready"
    confinement: Confinement
    """How the process is confined."""


class Loaded(Record):
    """The artifact is loaded."""

    kind: Literal["loaded"] = "loaded"
    runtime: str
    """Name and version of the runtime."""
    import_ns: int
    """Time to import the runtime, in nanoseconds."""
    load_ns: int
    """Time to load the artifact, in nanoseconds."""
    cached_share: float | None
    """See ProcessTiming."""
    runtime_bytes: int
    """Resident bytes after the runtime was imported."""
    loaded_bytes: int
    """Resident bytes after the artifact was loaded."""


class KeptOutputs(Record):
    """The outputs of one inference."""

    input: int
    """Index of its input: the sample of the evaluation pack, or the inference of the tensor pack."""
    outputs: tuple[OutputValues, ...]
    """Its outputs, each with the values of this inference alone."""


class Inferred(Record):
    """The inferences are done."""

    kind: Literal["inferred"] = "inferred"
    ns: tuple[int, ...]
    """Duration of each timed inference in nanoseconds, in order."""
    counters: SystemCounters
    """System counters from before the first timed inference until after the last."""
    kept: KeptOutputs | None = None
    """The outputs that were to be kept; null for none."""


class Warmed(Record):
    """The warm-up is done."""

    kind: Literal["warmed"] = "warmed"
    ns: tuple[int, ...]
    """Duration of each inference in nanoseconds, in order."""
    steady: bool
    """Whether warm-up ended because latency was steady."""


class Peak(Record):
    """Memory use since loading began."""

    kind: Literal["peak"] = "peak"
    peak_bytes: int | None
    """The high-water mark since loading began; null where the kernel has none."""
    proportional_bytes: int | None
    """The proportional set size now; null where the kernel does not report it."""
    device_bytes: int | None = None
    """Memory use of the accelerator now; null without an accelerator or if it is not available."""


class Predicted(Record):
    """The requested values."""

    kind: Literal["predicted"] = "predicted"
    logits: tuple[tuple[float, ...], ...]
    """The judged output's values [samples][values]."""


class OutputsComputed(Record):
    """The requested outputs."""

    kind: Literal["outputs_computed"] = "outputs_computed"
    outputs: tuple[OutputValues, ...]
    """One entry for each output."""


class Described(Record):
    """What the runtime reads in the file."""

    kind: Literal["described"] = "described"
    description: ModelDescription
    """Signature and precision."""


class GraphRead(Record):
    """A model file's graph."""

    kind: Literal["graph_read"] = "graph_read"
    graph: ModelGraph
    """Operators, multiply-accumulates, weights."""


class RepeatsTimed(Record):
    """The inputs were timed."""

    kind: Literal["repeats_timed"] = "repeats_timed"
    repeats: RepeatedInputs | None
    """Their times; null if the pack has no input that can be changed."""


class Inspected(Record):
    """The runtime's executed graph."""

    kind: Literal["inspected"] = "inspected"
    executed: Executed | None
    """What ran; null if the graph could not be read."""
    failure: str | None = None
    """Type and text of the exception that prevented it."""


class Raised(Record):
    """A request raised an exception. The worker ends after this answer."""

    kind: Literal["raised"] = "raised"
    message: str
    """Type and text of the exception."""
    failure: FailureKind = Field(strict=False)
    """The kind of failure that the exception counts as."""
    missing: bool
    """Whether this machine lacks the runtime or the device."""


AnyRequest = (
    CheckReady
    | Prepare
    | Load
    | Infer
    | WarmUp
    | ReadPeak
    | Predict
    | ComputeOutputs
    | TimeRepeats
    | Describe
    | ReadGraph
    | Inspect
)
AnyAnswer = (
    Ready
    | Loaded
    | Inferred
    | Warmed
    | Peak
    | Predicted
    | OutputsComputed
    | RepeatsTimed
    | Described
    | GraphRead
    | Inspected
    | Raised
)
Request = Annotated[AnyRequest, Field(discriminator="kind")]
Answer = Annotated[AnyAnswer, Field(discriminator="kind")]

REQUESTS: TypeAdapter[AnyRequest] = TypeAdapter(Request)
ANSWERS: TypeAdapter[AnyAnswer] = TypeAdapter(Answer)
