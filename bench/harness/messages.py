"""What the parent asks a worker and what it answers, one JSON document a line. It knows no process."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.measurements import Executed, FailureKind, SystemCounters
from bench.record import Record
from bench.system.sandbox import Confinement


class CheckReady(Record):
    """Say that the interpreter is up and waits."""

    kind: Literal["check_ready"] = "check_ready"


class Load(Record):
    """Import the runtime and load the artifact, pinned to `cpus` (null: wherever the kernel likes).

    `module`: the runtime's; `files`: all of the artifact's; `pack`: the evaluation pack, whose images are the
    inputs; null: inputs are grey, so that no pack disturbs a memory reading until `Predict` names one.
    `engine`, `half`, `int8`, `foreign_engine`: see LoadOptions.
    """

    kind: Literal["load"] = "load"
    module: str
    entry: str
    files: tuple[str, ...]
    provider: str
    engine: str | None
    half: bool = False
    int8: bool = False
    foreign_engine: bool = False
    threads: int
    cpus: tuple[int, ...] | None
    image_size: int
    pack: str | None


class Infer(Record):
    """Run `count` inferences, each timed, after `settle` that are not recorded.

    `rest`: whether to answer only when the process's threads use the CPU no more.
    """

    kind: Literal["infer"] = "infer"
    count: int
    settle: int = 0
    rest: bool = True


class WarmUp(Record):
    """Run inferences until their level is steady, `most` of them at the most, or for `limit_s` seconds."""

    kind: Literal["warm_up"] = "warm_up"
    most: int
    limit_s: float


class ReadPeak(Record):
    """Read the memory high-water mark."""

    kind: Literal["peak"] = "peak"


class Predict(Record):
    """Give the logits of images `first` to `first + count - 1` of a pack."""

    kind: Literal["predict"] = "predict"
    pack: str
    first: int
    count: int


class Inspect(Record):
    """Read the runtime's executed graph."""

    kind: Literal["inspect"] = "inspect"


class Ready(Record):
    """Up and waiting, and so confined."""

    kind: Literal["ready"] = "ready"
    confinement: Confinement


class Loaded(Record):
    """The artifact is ready; bytes are resident memory. `cached_share`: see ProcessTiming."""

    kind: Literal["loaded"] = "loaded"
    runtime: str
    import_ns: int
    load_ns: int
    cached_share: float | None
    runtime_bytes: int
    loaded_bytes: int


class Inferred(Record):
    """Nanoseconds of each inference, in order, and what went on around them."""

    kind: Literal["inferred"] = "inferred"
    ns: tuple[int, ...]
    counters: SystemCounters


class Warmed(Record):
    """Nanoseconds of each inference of the warm-up; whether it ended because the level was steady."""

    kind: Literal["warmed"] = "warmed"
    ns: tuple[int, ...]
    steady: bool


class Peak(Record):
    """The high-water mark since loading began, the proportional set size now; null where not kept.

    `device_bytes`: in an accelerator's own memory now; null where there is none, or it is not told.
    """

    kind: Literal["peak"] = "peak"
    peak_bytes: int | None
    proportional_bytes: int | None
    device_bytes: int | None = None


class Predicted(Record):
    """Logits [images][classes]."""

    kind: Literal["predicted"] = "predicted"
    logits: tuple[tuple[float, ...], ...]


class Inspected(Record):
    """What ran."""

    kind: Literal["inspected"] = "inspected"
    executed: Executed


class Raised(Record):
    """The worker met an exception and ends.

    `failure`: how that is called; `missing` marks a runtime or device that this machine lacks.
    """

    kind: Literal["raised"] = "raised"
    message: str
    failure: FailureKind = Field(strict=False)
    missing: bool


AnyRequest = CheckReady | Load | Infer | WarmUp | ReadPeak | Predict | Inspect
AnyAnswer = Ready | Loaded | Inferred | Warmed | Peak | Predicted | Inspected | Raised
Request = Annotated[AnyRequest, Field(discriminator="kind")]
Answer = Annotated[AnyAnswer, Field(discriminator="kind")]

REQUESTS: TypeAdapter[AnyRequest] = TypeAdapter(Request)
ANSWERS: TypeAdapter[AnyAnswer] = TypeAdapter(Answer)
