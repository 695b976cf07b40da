"""Whatever a board sends, or does not: one sentence that names it, exit code 5, and a laptop that is well."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from making.command_line import edgefit_here
from making.hostile_board import BEFORE_THE_AGENT, BEHAVIOURS, MAKE_WAIT, WHEN_IT_MEASURES, hostile_ssh

from bench.remote import board, ssh, ssh_pipes

_MOST_GROWTH_BYTES = 200 << 20
_LONGEST_ERROR = 5000


def reach(behaviour: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands reach a board with this behaviour; wait a second for it where it makes a laptop wait."""
    monkeypatch.setenv("EDGEFIT_SSH", hostile_ssh(folder, behaviour))
    if behaviour not in MAKE_WAIT:
        return
    for name in ("_COMMAND_LIMIT_S", "_LEAST_AFTER_LOGIN_S", "_STANDSTILL_LIMIT_S", "_EXIT_LIMIT_S"):
        monkeypatch.setattr(ssh, name, 1.0)
    monkeypatch.setattr(ssh, "_REACTION_LIMIT_S", 0.5)
    monkeypatch.setattr(board, "_PROBE", ssh.AnswerLimit(1.0))


@pytest.fixture
def well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A check that nothing was left on this machine, and that its memory is what it was."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = psutil.Process().memory_info().rss

    def check() -> None:
        assert not list(temporary.iterdir())
        assert not (tmp_path / "outside").exists()
        assert psutil.Process().memory_info().rss - before < _MOST_GROWTH_BYTES

    return check


def refused(*words: str | Path) -> str:
    """Run a command, which a board must end in one sentence; return the sentence."""
    done = edgefit_here(*words)
    assert done.returncode == 5, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("edgefit: board: ")
    assert len(sentence) < _LONGEST_ERROR
    return sentence


@pytest.mark.parametrize("behaviour", [*BEFORE_THE_AGENT, *BEHAVIOURS])
def test_a_probe_of_a_hostile_board_ends_in_a_sentence(
    behaviour: str, tmp_path: Path, well: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reach(behaviour, tmp_path, monkeypatch)

    refused("doctor", "--on", "ssh://board")

    well()


@pytest.mark.parametrize("behaviour", ["no_newline", "nested", "null_answer", "negative_size", "long_folder"])
def test_to_clean_a_hostile_board_ends_in_a_sentence(
    behaviour: str, tmp_path: Path, well: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reach(behaviour, tmp_path, monkeypatch)

    refused("clean", "--on", "ssh://board")

    well()


@pytest.mark.parametrize("behaviour", ["no_newline", "many_files", "other_types"])
def test_to_fill_a_wheelhouse_for_a_hostile_board_ends_in_a_sentence(
    behaviour: str, tmp_path: Path, well: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reach(behaviour, tmp_path, monkeypatch)

    refused("wheelhouse", "--on", "ssh://board", "--out", tmp_path / "wheels")

    well()
    assert not (tmp_path / "wheels").exists()


@pytest.mark.parametrize("behaviour", [*WHEN_IT_MEASURES, "no_newline", "nested", "files_outside", "silent"])
def test_a_measurement_on_a_hostile_board_ends_in_a_sentence(
    behaviour: str,
    bundle_folder: Path,
    tmp_path: Path,
    well: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reach(behaviour, tmp_path, monkeypatch)
    monkeypatch.setattr("bench.remote.board_run.cached_wheels", lambda *_: ())
    monkeypatch.setattr("bench.remote.job_progress._MOST_LINES", 50)

    words = ("--only", "onnx-fp32", "--quick", "--out", tmp_path / "report.json")
    sentence = refused("bench", bundle_folder, "--on", "ssh://board", *words)

    well()
    assert "more than 50 lines" in sentence or not behaviour.endswith("y_sentences")
    assert not (tmp_path / "report.json").exists()


def test_steps_beyond_a_task_s_end_are_no_lines(
    bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach("many_steps", tmp_path, monkeypatch)
    monkeypatch.setattr("bench.remote.board_run.cached_wheels", lambda *_: ())

    done = edgefit_here("bench", bundle_folder, "--on", "ssh://board", "--only", "onnx-fp32")

    assert done.stderr.count("board: t: 1/1") == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("error_output", "the board wrote megabytes to its error output"),
        ("no_newline", "it is longer than 4.00 MiB"),
        ("much_content", "it is longer than 4.00 MiB"),
    ],
)
def test_a_board_that_writes_without_end_is_left_at_the_limit(
    behaviour: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_pipes, "_LONGEST_LOG_BYTES", 1 << 20)
    monkeypatch.setenv("EDGEFIT_SSH", hostile_ssh(tmp_path, behaviour))

    assert reason in refused("doctor", "--on", "ssh://board")
