"""Options that several commands share, and what they all check before work begins. It runs nothing."""

import math
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from edgefit.terminal import set_quiet

# What `--profile` is given for the profile that the machine is.
AUTO = "auto"

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, everything else on stderr.")
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", help="Print errors alone: no results, no progress.", callback=set_quiet, is_eager=True
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result of the same kind.")]
Name = Annotated[
    str | None,
    typer.Option(help="What to call the result; reports of one name make a history.", metavar="NAME"),
]


Only = Annotated[
    str | None,
    typer.Option(metavar="a,b", help="Measure only these variants, such as onnx-int8,onnx-fp32."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer samples, and accuracy on the first 128 images.")]
Sustained = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=1,
        max=86400,
        help="Also run each variant for so long without a pause: drift, settling.",
    ),
]
With = Annotated[
    str | None,
    typer.Option(
        "--with",
        metavar="torchscript",
        help="Put this runtime on the board though it takes hundreds of megabytes.",
    ),
]


def now() -> str:
    """Return the present time in UTC, as ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def name_for(name: str | None, out: Path) -> str:
    """Return the name given, else that of the folder the result lies in."""
    return name or out.resolve().name


def refuse_endless(sustained: float | None) -> None:
    """Refuse a number of seconds that is none: `nan` passes typer's own limits."""
    if sustained is not None and not math.isfinite(sustained):
        raise typer.BadParameter(f"'{sustained}' is no number of seconds", param_hint="--sustained")


def split_names(text: str) -> tuple[str, ...]:
    """Split `a,b` into its names; blanks around them do not count, and no name at all is a wrong use."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise typer.BadParameter(f"'{text}' names nothing; write names with commas between them, such as a,b")
    return names


def parse_share(text: str, option: str) -> float:
    """Read `5%` as 0.05; the sign must be there, for a bare 5 or 0.05 could be taken either way."""
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = math.nan
    if not text.endswith("%") or not 0 <= percent < math.inf:
        raise typer.BadParameter(f"'{text}' is no percentage; write one such as 5%", param_hint=option)
    return percent / 100
