"""The command line where a stream is closed, full or ASCII, or a folder that others have is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from making.command_line import EDGEFIT, SHORTLY
from making.compared_report import Row, made_report
from making.hostile import assert_harmless
from making.model_files import write_onnx

from bench.report.files import write_report

_NO_HOME = """
import os, pwd
def unknown(_):
    raise KeyError
pwd.getpwuid = unknown
for name in ("HOME", "EDGEFIT_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
    os.environ.pop(name, None)
from edgefit.__main__ import main
main()
"""

# A metric of a user, with a library that warns.
_NOISY = r"""
import sys, warnings
def metric(y_true, y_score):
    print("::error::FORGED\x1b[2J")
    sys.stderr.write("##[error]FORGED\u202e\n")
    warnings.warn("\x1b[2J\n::stop-commands::FORGED")
    return 1.0
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    write_report(tmp_path / "r.json", made_report({"onnx-fp32": Row(10), "onnx-int8": Row(7)}))
    return tmp_path / "r.json"


def shell(script: str, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell, in which "$@" is edgefit with these words."""
    command = ["bash", "-c", script, "bash", *EDGEFIT, *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_an_ascii_terminal_is_shown_everything(report: Path, tmp_path: Path) -> None:
    done = shell('PYTHONIOENCODING=ascii "$@"', "report", report, cwd=tmp_path)
    strict = shell('LC_ALL=POSIX PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 "$@"', "report", report, cwd=tmp_path)
    usual = shell('"$@"', "report", report, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == strict.stdout
    assert done.stdout.isascii()
    assert len(done.stdout.splitlines()) == len(usual.stdout.splitlines())
    assert "32×32" in usual.stdout
    assert "32x32" in done.stdout


def test_files_are_utf_8_whatever_the_terminal_has(report: Path, tmp_path: Path) -> None:
    words = ("report", report, "--markdown", "r.md", "--csv", "r.csv", "--quiet")

    assert shell('LC_ALL=POSIX PYTHONUTF8=0 "$@"', *words, cwd=tmp_path).returncode == 0
    strict = (tmp_path / "r.md").read_bytes(), (tmp_path / "r.csv").read_bytes()
    assert shell('"$@"', *words, cwd=tmp_path).returncode == 0

    assert strict == ((tmp_path / "r.md").read_bytes(), (tmp_path / "r.csv").read_bytes())


@pytest.mark.parametrize("options", [(), pytest.param(("--json",), marks=pytest.mark.slow)])
def test_what_was_measured_is_kept_if_it_cannot_be_shown(tmp_path: Path, options: tuple[str, ...]) -> None:
    write_onnx(tmp_path / "model.onnx")
    words = ("bench", "model.onnx", *SHORTLY, *options)

    full = shell('"$@" > /dev/full', *words, cwd=tmp_path)
    gone = shell('"$@" --resume | true; exit ${PIPESTATUS[0]}', *words, cwd=tmp_path)
    again = shell('"$@" --resume', *words, cwd=tmp_path)

    assert (full.returncode, gone.returncode, again.returncode) == (2, 141, 0)
    assert "run the same command with --resume" in full.stderr
    assert "No space left on device" in full.stderr
    assert "0 blocks" not in again.stderr
    assert "resum" in again.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_worker_is_asked_and_a_file_written_without_a_stream(tmp_path: Path, closed: str) -> None:
    write_onnx(tmp_path / "model.onnx")

    done = shell(f'"$@" {closed}', "inspect", "model.onnx", "--write", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "preprocess: " in (tmp_path / "edgefit.yaml").read_text()


def test_a_measurement_needs_no_stream(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx")

    done = shell('"$@" <&- >&- 2>&-', "bench", "model.onnx", *SHORTLY, "--out", "r.json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["runs"]


@pytest.mark.parametrize("streams", ["2>&-", ">&- 2>&-", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_an_error_keeps_its_code_where_nobody_can_read_it(tmp_path: Path, streams: str) -> None:
    assert shell(f'"$@" {streams}', "report", "none.json", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("words", [("choose", "r.json", "--json"), ("report", "r.json"), ("--help",)])
def test_an_output_that_takes_no_more_is_one_sentence(
    report: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = shell('"$@" >/dev/full', *words, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("edgefit: a file, or what the output goes to, cannot be")
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_has_a_code_of_its_own_on_either_stream(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx")

    help_text = shell('"$@" | true; exit ${PIPESTATUS[0]}', "--help", cwd=tmp_path)
    progress = shell('"$@" 2>&1 | true; exit ${PIPESTATUS[0]}', "bench", "model.onnx", *SHORTLY, cwd=tmp_path)

    assert help_text.returncode in (0, 141)  # its output may fit into the pipe before that is closed
    assert progress.returncode == 141


@pytest.mark.parametrize(
    "words",
    [
        ("report", "r.json"),
        pytest.param(("report", "r.json", "--json"), marks=pytest.mark.slow),
        ("check", "r.json", "--baseline", "r.json", "--github"),
        pytest.param(("check", "r.json", "--baseline", "r.json", "--json"), marks=pytest.mark.slow),
        ("choose", "r.json", "--json"),
        ("profiles", "list"),
        ("bench", "--help"),
        ("--version",),
    ],
)
def test_a_reader_that_is_gone_ends_every_command_alike(
    report: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [*EDGEFIT, *words], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert done.returncode == 141
    assert b"Traceback" not in done.stderr


def test_whatever_a_process_prints_is_text(report: Path, tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(_NOISY)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    forged = "\x1b[2J\u202e\n::error::FORGED ##[error]FORGED"
    commands = (
        ("report", report, "--metric", "noisy:metric"),
        (forged,),
        ("bench", "model.onnx", f"--{forged}"),
        ("report", forged),
        ("choose", report, "--prefer", forged),
        ("profiles", "show", forged),
    )
    for words in commands:
        done = subprocess.run(
            [*EDGEFIT, *map(str, words)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode in (0, 2), done.stderr
        assert "FORGED" in done.stdout + done.stderr or "No such" in done.stderr
        assert_harmless(done.stdout + done.stderr)


def test_a_deleted_folder_is_named_where_it_is_needed(tmp_path: Path) -> None:
    line = 'mkdir gone; cd gone; rmdir ../gone; "$@"'

    assert shell(line, "--version", cwd=tmp_path).returncode == 0
    done = shell(line, "inspect", "model.onnx", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("edgefit: the folder that edgefit was started in is deleted; go to another")
    assert len(done.stderr.splitlines()) == 1


def test_a_user_without_a_home_has_profiles_and_learns_which_variable_to_set(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx")

    def homeless(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", _NO_HOME, *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    write_report(tmp_path / "r.json", made_report({"onnx-fp32": Row(10)}))
    profiles, measured = homeless("profiles", "list"), homeless("bench", "model.onnx", *SHORTLY)
    page = homeless("report", "r.json", "--html", "r.html")

    assert profiles.returncode == 0, profiles.stderr
    assert "laptop-cpu" in profiles.stdout
    assert page.returncode == 0, page.stderr  # its library asks for a home when it is imported
    assert measured.returncode == 2
    assert measured.stderr == (
        "edgefit: this user has no home folder: HOME is not set; set EDGEFIT_CACHE to a writable folder, for "
        "edgefit's cache\n"
    )
