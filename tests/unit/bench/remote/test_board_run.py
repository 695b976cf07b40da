"""What a board answers at the end of a measurement, or in the place of one: never more than its own row."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import pytest
from making.compared_report import Row, made_report
from making.probed_board import pi_4, probe_of
from pydantic import JsonValue

from bench.bundle.manifest import Bundle, read_bundle
from bench.devices.matching import profile_that_is
from bench.errors import BoardError, LinkLostError, RemoteError
from bench.remote import board_run
from bench.remote.agent_messages import BoardState, JobEvent, JobResult, JobState, read_answer, read_message
from bench.remote.board_run import BoardRequest, Measurement
from bench.remote.fleet import BoardResult, measure_fleet
from bench.remote.job_files import File
from bench.remote.job_folder import Advance, Begin, JobOutcome
from bench.remote.probe import BoardProbe
from bench.remote.targets import Target
from bench.report.files import to_json
from bench.report.schema import Report
from bench.run.request import BenchmarkRequest
from device_profiles.loading import shipped_profiles
from edgefit.progress import Silence

REPORT = made_report({"onnx-fp32": Row(10)})


class EndedBoard:
    """A board that has measured already, and remembers what was removed from it."""

    answer: dict[str, Any] = pi_4()
    result_: JobResult
    deleted: Sequence[tuple[str, bool]] = ()

    def __init__(self, target: Target, stopping: Event) -> None:
        self.name = target.name

    def close(self) -> None:
        """There is no connection."""

    def probe(self) -> BoardProbe:
        return BoardProbe(self.name, probe_of(self.answer).facts)

    def prepare(self, job: object) -> BoardState:
        return BoardState(environment=None, has_code=False, job="ended")

    def follow(self, job: object, offset: int) -> Sequence[JobEvent]:
        return ()

    def result(self, job: object, longest_bytes: int) -> JobResult:
        return self.result_

    def delete_job(self, job: object, keep_journal: bool = False) -> None:
        type(self).deleted = (*self.deleted, (self.name, keep_journal))


@pytest.fixture
def request_(bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoardRequest:
    monkeypatch.setattr(board_run, "Board", EndedBoard)
    monkeypatch.setattr(board_run, "cached_wheels", lambda *_: ())
    monkeypatch.setattr(EndedBoard, "deleted", ())
    return BoardRequest(
        subject=read_bundle(bundle_folder),
        benchmark=BenchmarkRequest(only=("onnx-fp32",), quick=True, name="n", tool="1.0", created="now"),
        profile=None,
        known_profiles=shipped_profiles(),
        with_formats=(),
        wheelhouse=None,
    )


def right_report(request: BoardRequest) -> Report:
    """A report of what was asked for, on the board that was probed."""
    host = probe_of(pi_4()).host
    assert isinstance(request.subject, Bundle)
    assert REPORT.bundle is not None
    return REPORT.model_copy(
        update={
            "bundle": REPORT.bundle.model_copy(update={"sha256": request.subject.sha256}),
            "profile": profile_that_is(host, request.known_profiles, "board"),
            "host": REPORT.host.model_copy(
                update={"cpu": host.cpu, "board": host.board, "architecture": host.architecture}
            ),
        }
    )


def measured(request: BoardRequest) -> Report:
    board = Measurement(Target("ssh://board", "board"), request, Silence(), Event())
    (report,) = board.measure(lambda _: True)
    return report


def ended(monkeypatch: pytest.MonkeyPatch, report: str | None, exit_code: int = 0) -> None:
    message = "it failed" if exit_code else None
    result = JobResult(exit_code=exit_code, message=message, report=report)
    monkeypatch.setattr(EndedBoard, "result_", result, raising=False)


def test_a_report_is_fetched_and_its_job_removed(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = right_report(request_)
    ended(monkeypatch, to_json(report))

    assert measured(request_) == report
    assert EndedBoard.deleted == (("board", False),)


@pytest.mark.parametrize("is_in_a_file", [True, False])
def test_a_board_keeps_its_job_until_the_report_is_in_a_file_or_was_shown(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch, is_in_a_file: bool
) -> None:
    ended(monkeypatch, to_json(right_report(request_)))
    deleted_when_shown: list[int] = []

    measure_fleet(
        [Target("ssh://board", "board")],
        request_,
        {"board": Silence()},
        lambda *_: is_in_a_file,
        lambda _: deleted_when_shown.append(len(EndedBoard.deleted)),
    )

    assert deleted_when_shown == [int(is_in_a_file)]
    assert EndedBoard.deleted == (("board", False),)


def test_a_board_keeps_a_report_that_could_be_neither_written_nor_shown(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(monkeypatch, to_json(right_report(request_)))

    def fail(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    targets, progress = [Target("ssh://board", "board")], {"board": Silence()}
    results: list[BoardResult] = []
    measure_fleet(targets, request_, progress, fail, results.extend)
    with pytest.raises(OSError, match="No space left"):
        measure_fleet(targets, request_, progress, lambda *_: False, fail)

    assert results[0].report is None
    assert EndedBoard.deleted == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bundle": REPORT.bundle}, "another bundle"),
        ({"profile": REPORT.profile}, r"another profile \(laptop-cpu\)"),
        ({"host": REPORT.host}, r"another machine \(Test CPU\)"),
    ],
)
def test_a_report_of_something_else_is_refused(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], reason: str
) -> None:
    ended(monkeypatch, to_json(right_report(request_).model_copy(update=changes)))

    with pytest.raises(BoardError, match=f"^board: the board sent a report of {reason} than was asked for"):
        measured(request_)


@pytest.mark.parametrize("exit_code", [10, 11, 130, 255])
def test_a_board_cannot_end_the_command_as_a_check_or_a_signal_does(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch, exit_code: int
) -> None:
    ended(monkeypatch, None, exit_code)

    with pytest.raises(BoardError, match=f"no measurement ends with the exit code {exit_code}") as error:
        measured(request_)

    assert error.value.exit_code == 5


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (None, "the measurement ended, but its report is missing on the board"),
        ("", "the board sent a damaged report"),
        ("[" * 100_000, "the board sent a damaged report"),
        (to_json(REPORT).replace('"p50_ns":10000000', '"p50_ns":1'), "does not match the measurements"),
    ],
    ids=["missing", "empty", "nested", "changed"],
)
def test_a_job_that_ends_well_without_a_report_is_an_error_and_can_be_resumed(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch, report: str | None, reason: str
) -> None:
    ended(monkeypatch, report)

    with pytest.raises(BoardError, match=f"^board: .*{reason}.*; run the same command again") as error:
        measured(request_)

    assert error.value.exit_code == 5
    assert EndedBoard.deleted == (("board", True),)  # with its end removed, the same command resumes it


@pytest.mark.parametrize(
    ("environment", "has_code", "has_files", "is_started"),
    [
        ("e", True, True, True),
        (None, True, True, False),
        ("e", False, True, False),
        ("e", True, False, False),
    ],
)
def test_a_board_that_lost_power_resumes_unless_what_was_sent_is_damaged(
    request_: BoardRequest,
    monkeypatch: pytest.MonkeyPatch,
    environment: str | None,
    has_code: bool,
    has_files: bool,
    is_started: bool,
) -> None:
    started: list[bool] = []

    class SwitchedOffBoard(EndedBoard):
        """A board whose connection breaks, and that was switched off meanwhile."""

        states = ["running", "interrupted"]  # noqa: RUF012 - each use takes one

        def prepare(self, job: object) -> BoardState:
            return BoardState(environment=environment, has_code=has_code, job=self.states.pop(0))  # type: ignore[arg-type]

        def follow(self, job: object, offset: int) -> Sequence[JobEvent]:
            if not started and len(self.states) == 1:
                raise LinkLostError("board: the connection broke")
            return ()

        def missing(self, files: Sequence[object]) -> Sequence[object]:
            return () if has_files else files

        def start(self, job: object, environment: str, resume: bool) -> None:
            started.append(resume)

    monkeypatch.setattr(board_run, "Board", SwitchedOffBoard)
    monkeypatch.setattr(board_run, "_RECONNECT_STEP_S", 0)
    report = right_report(request_)
    ended(monkeypatch, to_json(report))

    if is_started:
        assert measured(request_) == report
    else:
        with pytest.raises(BoardError, match=r"^board: .* is damaged; run the same command again"):
            measured(request_)
    assert started == [True] * is_started


@pytest.mark.parametrize(("exit_code", "keeps_journal"), [(3, False), (5, True)])
def test_a_failure_there_has_its_own_exit_code(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch, exit_code: int, keeps_journal: bool
) -> None:
    ended(monkeypatch, None, exit_code)

    with pytest.raises(RemoteError, match=r"^board: it failed$") as error:
        measured(request_)

    assert error.value.exit_code == exit_code
    assert EndedBoard.deleted == (("board", keeps_journal),)


class BrokenBoard(EndedBoard):
    """A board whose connection breaks each time that something is to happen."""

    state: JobState = "running"
    starts = 0

    def prepare(self, job: object) -> BoardState:
        return BoardState(environment="e", has_code=True, job=self.state)

    def missing(self, files: Sequence[File]) -> list[File]:
        return []

    def start(self, job: object, environment: str, resume: bool) -> None:
        type(self).starts += 1

    def follow(self, job: object, offset: int) -> Sequence[JobEvent]:
        raise LinkLostError("board: the connection broke")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("running", "for the 21st time without any progress"),
        ("interrupted", "the measurement has been cut off 6 times; look at the board's power supply"),
    ],
)
def test_a_board_that_never_gets_further_is_given_up(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch, state: JobState, reason: str
) -> None:
    monkeypatch.setattr(board_run, "_RECONNECT_STEP_S", 0.0)
    monkeypatch.setattr(board_run, "Board", BrokenBoard)
    monkeypatch.setattr(BrokenBoard, "state", state)
    monkeypatch.setattr(BrokenBoard, "starts", 0)

    with pytest.raises(BoardError, match=reason) as error:
        measured(request_)

    assert error.value.exit_code == 5
    assert BrokenBoard.starts <= 6


def test_a_malformed_answer_does_not_end_the_other_boards(
    request_: BoardRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OddBoard(EndedBoard):
        def __init__(self, target: Target, stopping: Event) -> None:
            super().__init__(target, stopping)
            if self.name == "odd":
                self.answer = pi_4(stat_before="cpu 1\n")

    monkeypatch.setattr(board_run, "Board", OddBoard)
    report = right_report(request_)
    ended(monkeypatch, to_json(report))
    targets = [Target(f"ssh://{name}", name) for name in ("odd", "even")]
    progress = {target.name: Silence() for target in targets}

    results: list[BoardResult] = []
    measure_fleet(targets, request_, progress, lambda *_: True, results.extend)

    odd, even = results
    assert even == BoardResult(targets[1], (report,))
    assert isinstance(odd.outcome, BoardError)
    assert str(odd.outcome).startswith("odd: the answer of edgefit's agent is not valid")
    assert odd.outcome.exit_code == 5


@pytest.mark.parametrize("exit_code", [-1, 256])
def test_an_exit_code_that_no_process_has_is_refused(exit_code: int) -> None:
    answer: dict[str, JsonValue] = {"exit_code": exit_code, "message": "m", "report": None}

    with pytest.raises(BoardError, match=r"^board: .*exit_code: Input should be"):
        read_answer("board", JobResult, answer)
    for known in (0, 255):
        assert JobOutcome(exit_code=known, message=None).exit_code == known


@pytest.mark.parametrize(
    "event",
    [
        '{"event": {"kind": "begin", "task": "t", "total": -1}, "offset": 1}',
        '{"event": {"kind": "advance", "steps": -1, "note": ""}, "offset": 1}',
        f'{{"event": {{"kind": "begin", "task": "t", "total": {10**30}}}, "offset": 1}}',
        '{"event": {"kind": "advance", "steps": 1, "note": ""}, "offset": -1}',
    ],
)
def test_progress_that_no_job_makes_is_refused(event: str) -> None:
    with pytest.raises(BoardError, match=r"^board: the board sent .* which is not a message"):
        read_message("board", event.encode())
    assert Begin(task="t", total=0).total == Advance(steps=0, note="").steps == 0
