"""`edgefit bench --on`: it shows and stores the boards' reports. bench/remote measures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgefit.profiles import named_profiles
from edgefit.progress import progress_of
from edgefit.report_output import exit_code_of, show_next_step, show_report
from edgefit.subjects import SubjectOptions, is_bundle, opened
from edgefit.terminal import Output, print_line
from edgefit.values import AUTO

if TYPE_CHECKING:
    from bench.remote.board_run import BoardRequest
    from bench.remote.fleet import BoardResult
    from bench.remote.job_files import Subject
    from bench.remote.targets import Target
    from bench.report.schema import Report
    from bench.run.request import BenchmarkRequest
    from device_profiles.profile import Profile
    from edgefit.metrics import Metric


@contextmanager
def opened_for_boards(paths: Sequence[Path], options: SubjectOptions) -> "Iterator[Subject]":
    """Open a bundle or model files. If a runtime of the files is missing here, the board opens them."""
    from bench.run.model_set import UnopenedModels

    # Data is read by the model's inputs, so such models have to be opened here.
    if not is_bundle(paths, options) and options.data is None:
        unopened = UnopenedModels.where_a_runtime_is_missing(paths, options.shapes, options.judged_output)
        if unopened is not None:
            yield unopened
            return
    with opened(paths, options) as subject:
        yield subject


def stated_profile(profile: str | None) -> "Profile | None":
    """Return the profile of a name or a file; None of AUTO and None, for which each board has its own."""
    from bench.runtimes.profile_names import load_checked_profile

    return None if profile in (None, AUTO) else load_checked_profile(profile)


def board_request(
    subject: "Subject",
    benchmark: "BenchmarkRequest",
    profile: "Profile | None",
    with_formats: tuple[str, ...],
    wheelhouse: Path | None,
    output: Output,
) -> "BoardRequest":
    """Return what is to be measured on boards. `profile`: None for the one that each board matches."""
    from bench.remote.board_run import BoardRequest

    return BoardRequest(
        subject=subject,
        benchmark=benchmark,
        profile=profile,
        known_profiles=named_profiles(output),
        with_formats=with_formats,
        wheelhouse=wheelhouse,
    )


def measure_boards(
    targets: "Sequence[Target]",
    request: "BoardRequest",
    paths: Mapping[str, Path],
    output: Output,
    metrics: "Sequence[Metric]" = (),
) -> int:
    """Measure on every board; show each report, write it to its path, and return the highest exit code.

    `metrics`: the user's own, which are computed here. If one fails, or if a report that is in no file cannot
    be shown, the board keeps the report.
    """
    from bench.remote.fleet import measure_fleet
    from bench.report.files import write_report
    from edgefit.metrics import with_metrics

    def on_reports(target: "Target", reports: "tuple[Report, ...]") -> bool:
        own = with_metrics(reports[0], metrics)
        if path := paths.get(target.name):
            write_report(path, own)
        return path is not None

    codes: list[int] = []
    with ExitStack() as display:
        watchers = display.enter_context(progress_of([target.name for target in targets]))

        def show(results: "Sequence[BoardResult]") -> None:
            display.close()
            _show_all([_with_metrics(result, metrics) for result in results], paths, output)
            codes.extend(_exit_code(result) for result in results)

        measure_fleet(targets, request, watchers, on_reports, show)
    return max(codes)


def _show_all(results: "Sequence[BoardResult]", paths: Mapping[str, Path], output: Output) -> None:
    for result in results:
        _show(result, output)
    output.document(_document(results))
    measured = [result.target.name for result in results if result.report is not None]
    if measured:
        show_next_step([paths[name] for name in measured if name in paths], output)
    output.flush()


def _with_metrics(result: "BoardResult", metrics: "Sequence[Metric]") -> "BoardResult":
    from edgefit.metrics import with_metrics

    if result.report is None:
        return result
    return replace(result, outcome=(with_metrics(result.report, metrics),))


def report_paths(targets: "Sequence[Target]", out: Path | None) -> dict[str, Path]:
    """Return the path of each board's report by the board's name; none if no file was requested.

    With several boards each report has a file of its own, with the board's name before the suffix.

    Raises InputError if a path is a folder, or a file that is not a report.
    """
    from bench.errors import InputError
    from bench.filesystem.whole_files import refuse_to_replace
    from bench.report.files import was_a_report

    if out is None:
        return {}
    if out.is_dir() or not out.name:
        raise InputError(f"--out {out}: this is a folder; name a file")
    paths = {target.name: out.with_name(f"{out.stem}-{target.name}{out.suffix}") for target in targets}
    if len(targets) == 1:
        paths = {targets[0].name: out}
    for path in paths.values():
        refuse_to_replace(path, was_a_report, "--out")
    return paths


def _show(result: "BoardResult", output: Output) -> None:
    if result.report is None:
        print_line(f"edgefit: {result.outcome}")
        return
    output.say(f"{result.target.name} ({result.target.text})")
    show_report(result.report, output)


def _exit_code(result: "BoardResult") -> int:
    from bench.errors import BenchError

    if isinstance(result.outcome, BenchError):
        return result.outcome.exit_code
    return max(map(exit_code_of, result.outcome))


def _document(results: "Sequence[BoardResult]") -> str:
    """Return the one board's report, or a list of the results of several."""
    from bench.report.files import to_json

    documents = [
        {"error": str(result.outcome), "exit_code": _exit_code(result)}
        if result.report is None
        else json.loads(to_json(result.report))
        for result in results
    ]
    if len(results) == 1:
        return json.dumps(documents[0])
    return json.dumps(
        {
            "boards": [
                {
                    "target": result.target.text,
                    "failed" if result.report is None else "report": document,
                }
                for result, document in zip(results, documents, strict=True)
            ]
        }
    )
