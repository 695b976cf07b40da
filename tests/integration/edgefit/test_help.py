"""--quiet and completion, as a shell meets them."""

import os
import subprocess
from pathlib import Path

import pytest
from making.command_line import EDGEFIT, edgefit
from making.compared_report import Row, made_report

from bench.report.files import write_report


def test_quiet_says_nothing_but_errors(tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", made_report({"onnx-fp32": Row(10)}))

    done = edgefit("report", tmp_path / "r.json", "--csv", tmp_path / "r.csv", "--quiet")
    document = edgefit("choose", tmp_path / "r.json", "--quiet", "--json")
    wrong = edgefit("report", tmp_path / "none.json", "--quiet")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "r.csv").exists()
    assert document.stdout.startswith('{"schema": 2')
    assert document.stderr == ""
    assert wrong.returncode == 2
    assert "no such report" in wrong.stderr


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("edgefit ch", ["choose", "check"]),
        ("edgefit bench b --profile raspberry-pi-z", ["raspberry-pi-zero-2w"]),
        ("edgefit choose r.json --prefer s", ["size"]),
    ],
)
def test_a_shell_completes_commands_profiles_and_preferences(line: str, completed: list[str]) -> None:
    asked = {"_EDGEFIT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}

    done = subprocess.run(EDGEFIT, env=os.environ | asked, capture_output=True, text=True, check=False)

    assert done.stdout.split() == completed
