"""edgefit beside folders and files that have the names of edgefit's packages, or of Python's modules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from making.command_line import EDGEFIT, SHORTLY
from making.model_files import write_onnx

_IN_THE_WAY = "raise AssertionError('the user\\'s own file was imported')"
_PACKAGES = ("bench", "device_profiles", "export", "models", "tests", "user_files", "numpy")
_FILES = ("typing", "random", "dataclasses", "json", "tempfile", "onnxruntime", "pydantic", "rich", "typer")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in _PACKAGES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(_IN_THE_WAY)
    for name in _FILES:
        (folder / f"{name}.py").write_text(_IN_THE_WAY)
    write_onnx(folder / "model.onnx")
    return folder


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_model_is_measured_in_a_project_with_folders_of_those_names(project: Path) -> None:
    done = run(*EDGEFIT, "bench", "model.onnx", *SHORTLY, "--out", "r.json", cwd=project, PYTHONPATH="")

    assert done.returncode == 0, done.stderr
    assert '"completed"' in (project / "r.json").read_text()


@pytest.mark.parametrize(
    "variables", [{"PYTHONPATH": "."}, {"PYTHONINSPECT": "", "PYTHONOPTIMIZE": "2"}], ids=["path", "others"]
)
def test_a_variable_that_changes_python_changes_no_worker(project: Path, variables: dict[str, str]) -> None:
    done = run(*EDGEFIT, "inspect", "model.onnx", "--json", cwd=project, **variables)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["macs"] is not None  # a worker has run it


def test_a_file_that_python_imported_before_edgefit_is_named(tmp_path: Path) -> None:
    (tmp_path / "keyword.py").touch()
    script = "import keyword; from edgefit.__main__ import main; main()"

    done = run(sys.executable, "-c", script, "--version", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"edgefit: {tmp_path / 'keyword.py'} hides Python's own module 'keyword'; ")


def test_a_network_that_needs_a_package_of_such_a_name_learns_that(project: Path) -> None:
    (project / "nets.py").write_text("from models.blocks import Block\n")
    (project / "inputs.py").write_text("def load_data():\n    return []\n")

    words = ("--out", "bundle", "--data", "inputs.py:load_data", "--shape", "1x3x8x8")
    done = run(*EDGEFIT, "export", "nets:build", *words, cwd=project)

    assert done.returncode == 2
    assert "edgefit: nets:build: uses a module 'models', and finds edgefit's own package" in done.stderr
