"""`edgefit choose`: the best variant of some reports, and why not the others. bench/choose decides."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.choose.candidates import Candidate
    from bench.choose.choosing import Choice

_NONE_MEETS = 11
_NOTHING_TO_CHOOSE = 12


def _complete_preference(incomplete: str) -> list[str]:
    """Return the values of --prefer that begin with `incomplete`, for the shell."""
    from bench.choose.comparing import Preference

    return [preference.value for preference in Preference if preference.value.startswith(incomplete)]


def choose(
    reports: Annotated[
        list[Path], typer.Argument(metavar="REPORT.json…", help="Reports that edgefit bench wrote.")
    ],
    prefer: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            autocompletion=_complete_preference,
            help="The criterion to rank variants by: latency, memory, size, accuracy or energy.",
        ),
    ] = "latency",
    max_p95_ms: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="X", help="The maximum allowed p95 latency in ms. Default: the profile's limit."
        ),
    ] = None,
    max_memory_mb: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="X", help="The maximum allowed peak memory in MiB. Default: the profile's limit."
        ),
    ] = None,
    max_size_mb: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="X",
            help="The maximum allowed size in MB (10^6 bytes). Default: the profile's limit.",
        ),
    ] = None,
    min_retention: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="X",
            help="The minimum accuracy ÷ reference accuracy. Default: the profile's limit.",
        ),
    ] = None,
    retention_margin: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="X",
            help="How far below --min-retention the lower end of the confidence interval may lie.",
        ),
    ] = 0.01,
    ship: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Copy the chosen artifact to this folder, with an example that runs it."
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="BUNDLE", help="For --ship: the bundle that was measured, if it was moved since."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="For --ship: replace an earlier copy in the same folder.")
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Choose the best variant within a budget, and say why each other variant was not chosen.

    Exit code 11: no variant meets the budget; 12: no variant was measured.

    \b
    Examples:
      edgefit choose report.json
      edgefit choose report.json --prefer size --max-p95-ms 20
      edgefit choose report.json --ship product
    """
    from bench.render.terminal import choice_view
    from bench.report.files import read_report
    from edgefit.jobs import choose_for, criteria_of

    output = Output(as_json)
    if ship is None and (bundle is not None or overwrite):
        raise typer.BadParameter(
            "they apply to --ship only; add --ship DIR", param_hint="--bundle, --overwrite"
        )
    criteria = criteria_of(
        prefer, max_p95_ms, max_memory_mb, max_size_mb, min_retention, retention_margin, "the command line"
    )
    measured = [read_report(path) for path in reports]
    chosen = choose_for(measured, criteria)
    for choice, _ in chosen:
        output.show(choice_view(choice))
    choices = [choice for choice, _ in chosen]
    if ship is not None and not _exit_code(choices):
        _ship(chosen, ship, bundle, reports, overwrite, output)
    document = {"schema": 2, "choices": [choice.model_dump(mode="json") for choice in choices]}
    output.document(json.dumps(document))
    if code := _exit_code(choices):
        raise typer.Exit(code)
    if ship is None and all(report.bundle is not None for report in measured):
        output.next_step(
            "add --ship DIR to copy the chosen artifact to a folder, with an example that runs it"
        )


def _exit_code(choices: "list[Choice]") -> int:
    if any(choice.chosen is None and choice.has_rows for choice in choices):
        return _NONE_MEETS
    return 0 if all(choice.has_rows for choice in choices) else _NOTHING_TO_CHOOSE


def _ship(
    chosen: "list[tuple[Choice, Candidate | None]]",
    target: Path,
    bundle: Path | None,
    reports: list[Path],
    overwrite: bool,
    output: Output,
) -> None:
    from bench.choose.ship.shipping import find_bundle, ship
    from bench.errors import InputError

    if len(chosen) > 1:
        profiles = ", ".join(choice.profile for choice, _ in chosen)
        raise InputError(
            f"--ship copies one artifact, but these reports are of several profiles ({profiles}); "
            "give reports of one profile"
        )
    choice, candidate = chosen[0]
    assert candidate is not None
    opened = find_bundle(candidate.report, bundle, [path.parent for path in reports])
    example = ship(choice, candidate, opened, target, overwrite)
    *names, last = example.files
    output.say(f"written: {target}, with {candidate.run.variant}, {', '.join(names)} and {last}")
    run_it = f"python {target / 'classify.py'} {example.argument}"
    output.next_step(f"pip install -r {target / 'requirements.txt'}; {run_it}")
