"""Where Python lacks what it lacks on Windows, the command ends with its sentence, and not in an import."""

import json
import subprocess
import sys

import pytest

# Python without what it lacks on Windows.
_WINDOWS = """
import runpy, signal, sys, traceback
sys.modules.update(dict.fromkeys(("fcntl", "resource", "pwd", "grp", "termios")))
for name in ("SIGHUP", "SIGPIPE", "SIGKILL"):
    delattr(signal, name)
sys.platform = "win32"
"""
_COMMAND = 'runpy.run_module("edgefit", run_name="__main__", alter_sys=True)'
_SENTENCE = (
    "edgefit needs Linux, and this is Windows, where none of its commands works: use a Linux machine, real "
    "or virtual"
)


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _WINDOWS + script, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("line", ["bench model.onnx", "report report.json", "--version", "doctor", ""])
def test_every_command_says_on_windows_that_none_works(line: str) -> None:
    done = run(_COMMAND, *line.split())

    assert (done.returncode, done.stdout, done.stderr) == (3, "", f"edgefit: {_SENTENCE}\n")


def test_json_says_it_too() -> None:
    done = run(_COMMAND, "bench", "model.onnx", "--json")

    assert json.loads(done.stdout) == {"error": _SENTENCE, "exit_code": 3}


def test_python_raises_the_sentence_too() -> None:
    done = run("import edgefit; edgefit.bench")

    assert done.stderr.rstrip().endswith(f"UnsupportedSystemError: {_SENTENCE}")
