"""Options that several commands share, and how their values are checked. It runs nothing."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.terminal import set_quiet
from edgefit.values import BENCH_S, SUSTAINED_S, require_name

if TYPE_CHECKING:
    from bench.bundle.signature import StatedInput

# A size with more digits would not fit into any memory.
_SIZE = r"[1-9][0-9]{0,8}"
_SHAPE = re.compile(rf"(?:(?P<name>.*):)?(?P<sizes>{_SIZE}(?:x{_SIZE})*)(?::(?P<dtype>[a-z]+[0-9]*))?")


def _finite(seconds: float | None) -> float | None:
    """Return a number of seconds; raises BadParameter for nan and infinity, which pass typer's own limits."""
    if seconds is not None and not math.isfinite(seconds):
        raise typer.BadParameter(f"'{seconds}' is not a valid number of seconds; write one such as 60")
    return seconds


AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and everything else on stderr.")
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", help="Print only errors, without results and progress.", callback=set_quiet, is_eager=True
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an earlier result of this command at the same path.")
]
Name = Annotated[
    str | None,
    typer.Option(
        help="The name of the result. edgefit report --history compares reports of the same name.",
        metavar="NAME",
        callback=require_name,
    ),
]
StrictData = Annotated[
    bool,
    typer.Option(
        "--strict-data",
        help="Stop with an error if there is a warning on the data, such as files that were left out.",
    ),
]


Only = Annotated[
    str | None,
    typer.Option(metavar="a,b", help="Measure only these variants, such as onnx-int8,onnx-fp32."),
]
Shape = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME:]1x3x224x224[:TYPE]",
        help="The shape of an input whose size the model file leaves open. For TorchScript also "
        "its type, such "
        "as int64. Repeat the option for several inputs.",
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|FILE.npz|FILE.py:load_data",
        help="Run model files on this data instead of random inputs: images, arrays, or a "
        "generator function.",
    ),
]
Preprocess = Annotated[
    str | None,
    typer.Option(
        metavar="imagenet|unit|raw|symmetric|FILE",
        help="Normalisation of the images, if neither the model file nor a file beside it states one.",
    ),
]
JudgedOutput = Annotated[
    str | None,
    typer.Option(
        "--output",
        metavar="NAME",
        help="Compute agreement and accuracy from this model output only. Other outputs are still compared.",
    ),
]
MetricNames = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="package.module:function",
        help="Your own metric for each variant of a bundle with labels: a function with "
        "scikit-learn's arguments "
        "(y_true, y_score), which runs on this machine. Repeat it for several.",
    ),
]
Quick = Annotated[
    bool,
    typer.Option(
        "--quick", help="Take fewer latency samples, and measure accuracy on the first 128 images only."
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=BENCH_S.low,
        max=BENCH_S.high,
        callback=_finite,
        help="How many seconds the latencies of all variants together may take. Memory and accuracy come "
        "first. Each variant gets five processes even if they take longer. Default: the profile's limit.",
    ),
]
Sustained = Annotated[
    float | None,
    typer.Option(
        callback=_finite,
        metavar="SECONDS",
        min=SUSTAINED_S.low,
        max=SUSTAINED_S.high,
        help="Also run each variant without a pause for this many seconds, to see whether its "
        "latency drifts.",
    ),
]
KeepEnvironment = Annotated[
    bool,
    typer.Option(
        "--keep-environment",
        help="Let the measured processes keep variables such as OMP_NUM_THREADS and ONEDNN_MAX_CPU_ISA, "
        "which decide threads and kernels. By default edgefit clears them.",
    ),
]
With = Annotated[
    str | None,
    typer.Option(
        "--with",
        metavar="torchscript",
        help="Install the TorchScript runtime on the board although its packages take up to 3 GB.",
    ),
]
Wheelhouse = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Install the board's packages from this folder, which edgefit wheelhouse filled.",
    ),
]


def refuse_for_this_machine(with_: str | None, wheelhouse: Path | None) -> None:
    """Raise BadParameter for an option that applies to boards, where none is given."""
    for value, option in ((with_, "--with"), (wheelhouse, "--wheelhouse")):
        if value is not None:
            raise typer.BadParameter("it applies to boards only; add --on ssh://host", param_hint=option)


def split_names(text: str) -> tuple[str, ...]:
    """Split `a,b` into its names without blanks; raises BadParameter if there is none."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise typer.BadParameter(f"'{text}' contains no name; write names separated by commas, such as a,b")
    return names


def parse_shapes(texts: Sequence[str]) -> "dict[str, StatedInput]":
    """Read `NAME:1x3x224x224:TYPE` as what is stated of an input, by its name; "" is the only input's.

    Name and type can be left out. Raises BadParameter for a text without a shape, for an unknown type, and
    for an input that has two shapes.
    """
    shapes: dict[str, StatedInput] = {}
    for text in texts:
        name, stated = _parse_shape(text)
        if name in shapes:
            raise typer.BadParameter(f"the input '{name}' has two shapes; give one", param_hint="--shape")
        shapes[name] = stated
    return shapes


def _parse_shape(text: str) -> "tuple[str, StatedInput]":
    from bench.bundle.signature import NUMERIC_DTYPES, StatedInput

    match = _SHAPE.fullmatch(text)
    if match is None:
        raise typer.BadParameter(
            f"'{text}' is not a shape; write one such as 1x3x224x224, images:1x3x224x224 or ids:1x128:int64",
            param_hint="--shape",
        )
    dtype = match["dtype"]
    if dtype is not None and dtype not in NUMERIC_DTYPES:
        raise typer.BadParameter(
            f"'{dtype}' is not a type; write one of {', '.join(NUMERIC_DTYPES)}", param_hint="--shape"
        )
    return match["name"] or "", StatedInput(tuple(map(int, match["sizes"].split("x"))), dtype)


def parse_share(text: str, option: str) -> float:
    """Read `5%` as 0.05. The sign is required, because a bare 5 or 0.05 would be ambiguous."""
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = math.nan
    if not text.endswith("%") or not 0 <= percent < math.inf:
        raise typer.BadParameter(
            f"'{text}' is not a valid percentage; write one such as 5%", param_hint=option
        )
    return percent / 100
