"""`edgefit choose`: reports in, the pick out, with the reason against every other. bench/choose chooses."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.completion import preferences_like
from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.choose.candidates import Candidate
    from bench.choose.choosing import Choice

_NONE_MEETS = 11
_NOTHING_TO_CHOOSE = 12


def choose(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT.json…", help="Reports that bench wrote.")],
    prefer: Annotated[
        str,
        typer.Option(
            metavar="WHAT", autocompletion=preferences_like, help="latency, memory, size, accuracy or energy."
        ),
    ] = "latency",
    max_p95_ms: Annotated[
        float | None, typer.Option(min=0, metavar="X", help="Limit of p95 latency, else the profile's.")
    ] = None,
    max_memory_mb: Annotated[
        float | None, typer.Option(min=0, metavar="X", help="Limit of peak memory in MiB.")
    ] = None,
    max_size_mb: Annotated[
        float | None, typer.Option(min=0, metavar="X", help="Limit of size in MB (10^6 bytes).")
    ] = None,
    min_retention: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="X", help="The least retention, else the profile's.")
    ] = None,
    retention_margin: Annotated[
        float,
        typer.Option(min=0, max=1, metavar="X", help="How far below that its interval may reach."),
    ] = 0.01,
    ship: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Copy the picked artifact there, ready to run.")
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="BUNDLE", help="For --ship: the bundle that was measured, if it has moved."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="For --ship: replace what an earlier one copied.")
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Pick the best variant under a budget, and say of every other why not.

    Exit code 11 if no variant meets the budget, 12 if none ran.

    \b
    Examples:
      edgefit choose report.json
      edgefit choose report.json --prefer size --max-p95-ms 20
      edgefit choose report.json --ship product
    """
    from bench.bundle.variants import choose as named
    from bench.choose.choosing import Criteria
    from bench.choose.choosing import choose as choose_among
    from bench.choose.comparing import Preference
    from bench.gate.fitting import refuse_other_kind
    from bench.render.choice import choice_view
    from bench.report.files import read_report
    from device_profiles.settings import Budget

    output = Output(as_json)
    if ship is None and (bundle is not None or overwrite):
        raise typer.BadParameter("belongs to --ship, which is not given", param_hint="--bundle, --overwrite")
    preference = Preference(named(prefer, [one.value for one in Preference], "preference"))
    budget = Budget(
        p95_ms=_positive(max_p95_ms, "--max-p95-ms"),
        memory_mb=_positive(max_memory_mb, "--max-memory-mb"),
        size_mb=_positive(max_size_mb, "--max-size-mb"),
        retention=min_retention or None,
        source="the command line",
    )
    opened = [read_report(path) for path in reports]
    for one in opened[1:]:
        refuse_other_kind(one.bundle, opened[0].bundle)
    found = choose_among(
        opened, Criteria(budget, preference, retention_margin, any_retention=min_retention == 0)
    )
    for choice, _ in found:
        output.show(choice_view(choice))
    choices = [choice for choice, _ in found]
    if ship is not None and not _exit_code(choices):
        _ship(found, ship, bundle, reports, overwrite, output)
    document = {"schema": 1, "choices": [choice.model_dump(mode="json") for choice in choices]}
    output.document(json.dumps(document))
    if code := _exit_code(choices):
        raise typer.Exit(code)
    if ship is None:
        output.next_step("add --ship DIR to copy the picked artifact out with an example that runs it")


def _positive(value: float | None, option: str) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"'{value}' is no number", param_hint=option)
    if value == 0:
        raise typer.BadParameter(
            "0 is met by nothing; leave it out for no limit of your own", param_hint=option
        )
    return value


def _exit_code(choices: "list[Choice]") -> int:
    if any(choice.pick is None and choice.has_rows for choice in choices):
        return _NONE_MEETS
    return 0 if all(choice.has_rows for choice in choices) else _NOTHING_TO_CHOOSE


def _ship(
    found: "list[tuple[Choice, Candidate | None]]",
    target: Path,
    bundle: Path | None,
    reports: list[Path],
    overwrite: bool,
    output: Output,
) -> None:
    from bench.choose.ship.shipping import find_bundle, ship
    from bench.errors import InputError

    if len(found) > 1:
        profiles = ", ".join(choice.profile for choice, _ in found)
        raise InputError(
            f"--ship copies one pick, and these reports are of {profiles}; give those of one profile"
        )
    choice, pick = found[0]
    assert pick is not None
    opened = find_bundle(pick.report, bundle, [path.parent for path in reports])
    ship(choice, pick, opened, target, overwrite)
    output.say(f"written: {target}, with {pick.run.variant}, classify.py, requirements.txt and CARD.md")
    output.next_step(f"pip install -r {target / 'requirements.txt'}; python {target / 'classify.py'} IMAGE")
