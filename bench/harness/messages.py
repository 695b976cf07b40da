"""What the parent asks a worker and what it answers, one JSON document a line. It knows no process."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.records import Record


class Load(Record):
    """Import the runtime and load the artifact, pinned to `cpus` (null: wherever the kernel likes).

    `pack`: the evaluation pack, whose images are the inputs; null: inputs are grey, so that no pack
    disturbs a memory reading until `Predict` names one.
    """

    kind: Literal["load"] = "load"
    format: str
    entry: str
    provider: str
    engine: str | None
    threads: int
    cpus: tuple[int, ...] | None
    image_size: int
    pack: str | None


class Infer(Record):
    """Run `count` inferences, each timed, after `settle` that are not recorded."""

    kind: Literal["infer"] = "infer"
    count: int
    settle: int = 0


class ReadPeak(Record):
    """Read the memory high-water mark."""

    kind: Literal["peak"] = "peak"


class Predict(Record):
    """Give the logits of images `first` to `first + count - 1` of a pack."""

    kind: Literal["predict"] = "predict"
    pack: str
    first: int
    count: int


class Loaded(Record):
    """The artifact is ready; bytes are resident memory."""

    kind: Literal["loaded"] = "loaded"
    runtime: str
    import_ns: int
    load_ns: int
    runtime_bytes: int
    loaded_bytes: int


class Inferred(Record):
    """Nanoseconds of each inference, in order."""

    kind: Literal["inferred"] = "inferred"
    ns: tuple[int, ...]


class Peak(Record):
    """The high-water mark since loading began; null where the kernel keeps none."""

    kind: Literal["peak"] = "peak"
    peak_bytes: int | None


class Predicted(Record):
    """Logits [images][classes]."""

    kind: Literal["predicted"] = "predicted"
    logits: tuple[tuple[float, ...], ...]


class Raised(Record):
    """The worker met an exception and ends. `missing` marks a runtime or device that this machine lacks."""

    kind: Literal["raised"] = "raised"
    message: str
    missing: bool


Request = Annotated[Load | Infer | ReadPeak | Predict, Field(discriminator="kind")]
Answer = Annotated[Loaded | Inferred | Peak | Predicted | Raised, Field(discriminator="kind")]

REQUESTS: TypeAdapter[Load | Infer | ReadPeak | Predict] = TypeAdapter(Request)
ANSWERS: TypeAdapter[Loaded | Inferred | Peak | Predicted | Raised] = TypeAdapter(Answer)
