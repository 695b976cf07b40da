"""What a loss of power leaves of a board's job: it is interrupted, never ended, and nothing crashes."""

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest

from bench.remote.agent.jobs import Jobs
from bench.remote.agent.store import RefusedError, Store

KEY = "abc"
ENDED = '{"exit_code":0,"message":null}'
FAILED = '{"exit_code":3,"message":"it failed"}'
REPORT = '{"schema":2}'
# What file systems leave of a file that was not synced: nothing, a part, bytes that are zero, an older block.
DAMAGE = {
    "empty": b"",
    "torn": b'{"exit_code":0,"mes',
    "zeros": b"\0" * 31,
    "half zeros": b'{"exit_code":0' + b"\0" * 17,
    "an older block": b"\xff\xfe\xfa" * 10,
    "another value": b"[]",
    "a number": b"0",
    "nested": b"[" * 100_000,
}
damaged = pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job's folder; the job ended well."""
    folder = Store(tmp_path).folder(f"jobs/{KEY}")
    (folder / "events.jsonl").write_text('{"kind":"say","sentence":"first"}\n')
    (folder / "report.json").write_text(REPORT)
    (folder / "ended.json").write_text(ENDED)
    (folder / "log").touch()
    return folder


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(Store(tmp_path))


def followed(jobs: Jobs) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    jobs.follow(KEY, 0, sent.append, lambda _: False)
    return sent


def test_a_job_whose_files_are_whole_has_ended(folder: Path, jobs: Jobs) -> None:
    assert jobs.state(KEY) == "ended"
    assert jobs.result(KEY) == {"exit_code": 0, "message": None, "report": REPORT}

    (folder / "ended.json").write_text(FAILED)
    (folder / "report.json").unlink()

    assert jobs.state(KEY) == "ended"
    assert jobs.result(KEY) == {"exit_code": 3, "message": "it failed", "report": None}


@pytest.mark.parametrize(
    "content",
    [
        '{"exit_code":0}',
        '{"exit_code":0,"message":7}',
        '{"exit_code":true,"message":null}',
        '{"exit_code":256,"message":null}',
        '{"exit_code":-1,"message":null}',
        '{"exit_code":"0","message":null}',
        '{"message":null}',
    ],
)
def test_an_end_that_no_job_writes_is_an_interruption(folder: Path, jobs: Jobs, content: str) -> None:
    (folder / "ended.json").write_text(content)

    assert jobs.state(KEY) == "interrupted"


def test_a_job_without_its_progress_has_ended_all_the_same(folder: Path, jobs: Jobs) -> None:
    (folder / "events.jsonl").unlink()

    assert jobs.state(KEY) == "ended"
    assert followed(jobs) == []
    assert jobs.result(KEY)["report"] == REPORT


@pytest.mark.parametrize("name", ["ended.json", "report.json"])
@damaged
def test_a_damaged_end_is_an_interruption(folder: Path, jobs: Jobs, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)

    assert jobs.state(KEY) == "interrupted"
    with pytest.raises(RefusedError, match="missing or damaged on the board; the same command resumes it"):
        jobs.result(KEY)
    assert followed(jobs)[-1]["died"].startswith("the measurement's process died")


@pytest.mark.parametrize("name", ["ended.json", "report.json"])
def test_a_missing_end_and_a_folder_in_its_place_are_an_interruption(
    folder: Path, jobs: Jobs, name: str
) -> None:
    (folder / name).unlink()
    assert jobs.state(KEY) == "interrupted"

    (folder / name).mkdir()
    assert jobs.state(KEY) == "interrupted"


@damaged
def test_a_damaged_report_of_a_job_that_failed_is_left_out(folder: Path, jobs: Jobs, content: bytes) -> None:
    (folder / "ended.json").write_text(FAILED)
    (folder / "report.json").write_bytes(content)

    assert jobs.state(KEY) == "ended"
    assert jobs.result(KEY)["report"] is None


@pytest.mark.parametrize("content", [b"\0" * 64 + b"\n", b"{\n", b"\xff\n", b"[]\n", b"\n"])
def test_a_damaged_line_of_progress_is_said_and_the_others_are_sent(
    folder: Path, jobs: Jobs, content: bytes
) -> None:
    line = b'{"kind":"say","sentence":"whole"}\n'
    (folder / "events.jsonl").write_bytes(line + content + line + b'{"kind":"say","sen\0\0')

    first, second, third = followed(jobs)

    assert first["event"] == third["event"] == {"kind": "say", "sentence": "whole"}
    assert second["event"]["kind"] == "say"
    assert "damaged, and left out" in second["event"]["sentence"]
    assert third["offset"] == 2 * len(line) + len(content)


@damaged
def test_whoever_has_just_locked_the_file_counts_as_another_measurement(
    jobs: Jobs, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "measuring").write_bytes(content)
    assert jobs.state(KEY) == "unknown"  # nobody holds it since the loss of power

    with (tmp_path / "measuring").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RefusedError, match="another measurement runs on this board"):
            jobs.state(KEY)
        with pytest.raises(RefusedError, match="a measurement runs on this board; wait"):
            jobs.clean(may_stop=False)


def test_a_forgotten_job_is_gone_at_once(folder: Path, jobs: Jobs) -> None:
    jobs.delete_job(KEY, keep_journal=False)
    jobs.delete_job(KEY, keep_journal=False)

    assert list(folder.parent.iterdir()) == []
    assert jobs.state(KEY) == "unknown"


def test_a_job_without_its_end_is_interrupted(folder: Path, jobs: Jobs) -> None:
    jobs.delete_job(KEY, keep_journal=True)

    assert jobs.state(KEY) == "interrupted"
    assert json.loads((folder / "report.json").read_text()) == json.loads(REPORT)


def test_a_job_without_its_log_died_and_nothing_crashes(folder: Path, jobs: Jobs) -> None:
    (folder / "ended.json").unlink()
    (folder / "log").unlink()

    (_, died) = followed(jobs)

    assert died["died"].endswith("Its last output: none")
