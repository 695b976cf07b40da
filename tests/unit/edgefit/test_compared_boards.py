"""`edgefit compare --on` keeps what a board measured, or shows it, or raises what went wrong there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from making.networks import two_networks

from bench.compare.folder import read_comparison
from bench.errors import BoardError, InputError
from bench.remote.board_run import BoardRequest
from bench.remote.fleet import BoardResult, OnReports
from bench.remote.targets import Target
from bench.run.parts import Networks
from bench.run.request import BenchmarkRequest
from edgefit import compared_boards
from edgefit.compared_boards import BoardOptions, compare_on_board
from edgefit.networks import ComparedNetworks
from edgefit.subjects import SubjectOptions
from edgefit.terminal import Output

OPTIONS = BoardOptions(Target("ssh://pi", "pi"), None, (), None)
REQUEST = BenchmarkRequest(tool="0", created="now")


def compared(
    paths: list[Path], out: Path | None = None, baseline: str | None = None
) -> list[ComparedNetworks]:
    shown: list[ComparedNetworks] = []
    compare_on_board(
        paths, OPTIONS, SubjectOptions(), REQUEST, baseline, out, False, Output(False), shown.append
    )
    return shown


@pytest.fixture
def in_files(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the reports of each measurement were put in files, as a board is told that measures both."""
    told: list[bool] = []

    def measured(
        targets: list[Target],
        request: BoardRequest,
        _progress: object,
        on_reports: OnReports,
        show: Callable[[list[BoardResult]], None],
    ) -> None:
        assert isinstance(request.subject, Networks)
        assert [each.network for each in request.subject.measured] == ["bundle", "copy"]
        reports = tuple(two_networks())
        told.append(on_reports(targets[0], reports))
        show([BoardResult(targets[0], reports)])

    monkeypatch.setattr(compared_boards, "measure_fleet", measured)
    return told


def test_a_comparison_is_shown_while_the_board_has_it_or_kept_in_a_folder(
    bundle_folder: Path, bundle_copy: Path, tmp_path: Path, in_files: list[bool]
) -> None:
    (shown,) = compared([bundle_folder, bundle_copy])
    (kept,) = compared([bundle_folder, bundle_copy], tmp_path / "out")

    assert in_files == [False, True]
    assert shown.comparison.networks == ("resnet", "mobilenet")
    comparison, reports = read_comparison(tmp_path / "out", None)
    assert comparison.rows == kept.comparison.rows
    assert len(reports) == 2


def test_an_error_of_the_board_is_raised_and_nothing_is_written(
    bundle_folder: Path, bundle_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(
        targets: list[Target],
        _request: object,
        _progress: object,
        _on_reports: object,
        show: Callable[[list[BoardResult]], None],
    ) -> None:
        show([BoardResult(targets[0], BoardError("pi: it is off"))])

    monkeypatch.setattr(compared_boards, "measure_fleet", failed)

    with pytest.raises(BoardError, match="pi: it is off"):
        compared([bundle_folder, bundle_copy], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_earlier_result_is_not_replaced_and_nothing_is_sent(
    bundle_folder: Path, bundle_copy: Path, tmp_path: Path, in_files: list[bool]
) -> None:
    compared([bundle_folder, bundle_copy], tmp_path / "out")

    with pytest.raises(InputError, match="--overwrite"):
        compared([bundle_folder, bundle_copy], tmp_path / "out")
    assert in_files == [True]
