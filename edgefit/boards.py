"""`edgefit bench --on`: what becomes of the boards' reports. bench/remote measures; this shows and keeps."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgefit import __version__
from edgefit.known import known_profiles
from edgefit.options import AUTO, now
from edgefit.outcome import exit_code_of, say_what_next, show_report
from edgefit.progress import progress_of
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.bundle.manifest import Bundle
    from bench.remote.fleet import Result
    from bench.remote.targets import Target
    from bench.report.schema import Report
    from bench.run.benchmark import BenchmarkOptions


def measure_boards(
    on: Sequence[str],
    bundle: "Bundle",
    profile: str | None,
    options: "BenchmarkOptions",
    with_formats: tuple[str, ...],
    wheelhouse: Path | None,
    out: Path | None,
    output: Output,
) -> int:
    """Measure on every board; show each report, keep it in `out`, and return the highest exit code.

    With several boards each has a file of its own, with its name before the suffix. `profile`: a name or a
    file; AUTO or None for the one that each board is.
    """
    from bench.errors import InputError
    from bench.filesystem.whole_files import refuse_to_replace
    from bench.remote.fleet import measure_fleet
    from bench.remote.job_spec import Asked
    from bench.remote.measuring import OnBoards
    from bench.remote.targets import parse_targets
    from bench.report.files import was_a_report, write_report
    from device_profiles.loading import load_profile

    targets = parse_targets(on)
    asked = Asked(
        bundle=bundle,
        only=options.only,
        quick=options.quick,
        name=options.name,
        sustained_s=options.sustained_s,
        with_formats=with_formats,
        tool=__version__,
        created=now(),
    )
    chosen = None if profile in (None, AUTO) else load_profile(profile)
    wanted = OnBoards(asked, chosen, known_profiles(output), wheelhouse)
    if out is not None and (out.is_dir() or not out.name):
        raise InputError(f"{out}: is a folder; give --out the name of a file")
    places = _places(targets, out)
    for place in places.values():
        refuse_to_replace(place, was_a_report, "--out")

    def on_report(target: "Target", report: "Report") -> None:
        if place := places.get(target.name):
            write_report(place, report)

    with progress_of([target.name for target in targets]) as watchers:
        results = measure_fleet(targets, wanted, watchers, on_report)
    for one in results:
        _show(one, output)
    output.document(_document(results))
    kept = [places[one.target.name] for one in results if one.report is not None and places]
    if any(one.report is not None for one in results):
        say_what_next(kept, output)
    return max(_code_of(one) for one in results)


def _places(targets: "Sequence[Target]", out: Path | None) -> dict[str, Path]:
    """Return where each board's report is kept, by the board's name; nothing if none is."""
    if out is None:
        return {}
    if len(targets) == 1:
        return {targets[0].name: out}
    return {one.name: out.with_name(f"{out.stem}-{one.name}{out.suffix}") for one in targets}


def _show(result: "Result", output: Output) -> None:
    if result.report is None:
        sys.stderr.write(f"edgefit: {result.error}\n")
        return
    output.say(f"{result.target.name} ({result.target.text})")
    show_report(result.report, output)


def _code_of(result: "Result") -> int:
    if result.error is not None:
        return result.error.exit_code
    assert result.report is not None
    return exit_code_of(result.report)


def _document(results: "Sequence[Result]") -> str:
    """Return the one board's report, or a list of what became of each of several."""
    from bench.report.files import to_json

    documents = [
        {"error": str(one.error), "exit_code": _code_of(one)}
        if one.report is None
        else json.loads(to_json(one.report))
        for one in results
    ]
    if len(results) == 1:
        return json.dumps(documents[0])
    return json.dumps(
        {
            "boards": [
                {"target": one.target.text, "report" if one.report is not None else "failed": document}
                for one, document in zip(results, documents, strict=True)
            ]
        }
    )
