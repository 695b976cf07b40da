"""`edgefit compare --on`: networks take turns on a board. bench/remote measures."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.compare.comparing import compare_networks
from bench.compare.folder import write_comparison, written_comparison
from bench.errors import BenchError, InputError
from bench.filesystem.whole_files import refuse_to_overwrite, whole_folder
from bench.remote.fleet import BoardResult, measure_fleet
from bench.remote.targets import Target, parse_targets
from bench.report.schema import Report
from bench.run.request import BenchmarkRequest
from bench.system.cpus import kept_affinity
from edgefit.boards import board_request, stated_profile
from edgefit.networks import ComparedNetworks, compared_before, opened_networks
from edgefit.progress import progress, progress_of
from edgefit.subjects import SubjectOptions
from edgefit.terminal import Output


@dataclass(frozen=True)
class BoardOptions:
    """The board, and how it gets its environment."""

    target: Target
    """Its address."""
    profile: str | None
    """The name or file of its profile; None for the one that it matches."""
    with_formats: tuple[str, ...]
    """See --with."""
    wheelhouse: Path | None
    """See --wheelhouse."""


def one_target(addresses: Sequence[str]) -> Target:
    """Return the board; raises InputError if several are named, as networks are compared on one."""
    targets = parse_targets(addresses)
    if len(targets) > 1:
        raise InputError(
            f"--on: networks are compared on one board at a time; give one, such as {targets[0].text}"
        )
    return targets[0]


def compare_on_board(
    paths: Sequence[Path],
    board: BoardOptions,
    inputs: SubjectOptions,
    request: BenchmarkRequest,
    baseline: str | None,
    out: Path | None,
    overwrite: bool,
    output: Output,
    show: Callable[[ComparedNetworks], None],
) -> None:
    """Measure networks together on a board, write them to `out` if it is given, and `show` the comparison.

    What the board measured stays there until it was written or shown. Raises BenchError where that fails.
    """
    if compared_before(paths, baseline) is not None:
        raise InputError("--on: what was compared before is not measured again; leave --on out")
    device = stated_profile(board.profile)
    if out is not None:
        refuse_to_overwrite(out, written_comparison, overwrite)
    compared: list[ComparedNetworks] = []
    errors: list[BenchError] = []

    def on_reports(_target: Target, reports: tuple[Report, ...]) -> bool:
        compared.append(ComparedNetworks(compare_networks(reports, baseline), reports))
        if out is None:
            return False
        with whole_folder(out, written_comparison, overwrite) as folder:
            write_comparison(folder, compared[0].comparison, reports)
        return True

    with ExitStack() as stack:
        with progress() as watcher, kept_affinity():
            networks = stack.enter_context(
                opened_networks(paths, baseline, inputs, request, watcher, is_here=False)
            )
        job = board_request(networks, request, device, board.with_formats, board.wheelhouse, output)
        display = stack.enter_context(ExitStack())
        watchers = display.enter_context(progress_of([board.target.name]))

        def show_result(results: Sequence[BoardResult]) -> None:
            display.close()
            (result,) = results
            if isinstance(result.outcome, BenchError):
                errors.append(result.outcome)
            else:
                show(compared[0])

        measure_fleet([board.target], job, watchers, on_reports, show_result)
    for error in errors:
        raise error
