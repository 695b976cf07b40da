"""A packed job: one file that runs with the board's Python alone, and writes a report."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from making.board_store import put_store
from making.command_line import SHORT, edgefit_here
from making.made_once import made_once

from bench.harness.alone import NO_WAIT_VARIABLE
from bench.report.files import read_report

_NAME = "a job's $(file).pyz"


@pytest.fixture(scope="session")
def packing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a packed bundle, and `cache`: the wheels that were downloaded for it."""
    return made_once(tmp_path_factory, "packing", _pack)


@pytest.fixture
def packed(packing: Path) -> Path:
    return packing / _NAME


@pytest.fixture
def wheels_of_before(packing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a command that needs the wheels of `packing`."""
    monkeypatch.setenv("EDGEFIT_CACHE", str(packing / "cache"))


def _pack(folder: Path) -> None:
    from making.tiny_bundle import make_tiny_bundle

    bundle = make_tiny_bundle(folder / "bundle")
    words = ("--for", SHORT, "--only", "onnx-fp32", "--quick", "--out", folder / _NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEFIT_CACHE", str(folder / "cache"))
        done = edgefit_here("pack", bundle, *words)
    assert done.returncode == 0, done.stderr
    assert "carry" in done.stdout
    assert "evaluation images, which may show patients" in done.stdout


def run(packed: Path, at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the file as on a board: a folder of its own, no packages, no edgefit."""
    python = os.path.realpath(sys.executable)
    environment = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(at / "cache"), NO_WAIT_VARIABLE: "1"}
    command = [python, "-I", str(packed), *words]
    return subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, check=False)


def test_it_measures_writes_a_report_and_removes_its_folder(packed: Path, tmp_path: Path) -> None:
    done = run(packed, tmp_path, "--out", "report.json")
    cleaned = run(packed, tmp_path, "--clean")

    assert done.returncode == 0, done.stderr
    assert "carry it to where edgefit is, then: edgefit report report.json" in done.stderr
    report = read_report(tmp_path / "report.json")
    assert {run.variant: run.status for run in report.runs if run.is_variant} == {"onnx-fp32": "completed"}
    assert cleaned.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.usefixtures("wheels_of_before")
def test_a_packed_model_file_is_measured(first_use: Path, tmp_path: Path) -> None:
    model, out = first_use / "bundle" / "onnx-fp32" / "model.onnx", tmp_path / "job.pyz"
    put_store(first_use / "store", tmp_path / "cache" / "edgefit-board")

    packing = edgefit_here("pack", model, "--for", SHORT, "--quick", "--out", out)
    done = run(out, tmp_path, "--out", "report.json")

    assert packing.returncode == 0, packing.stderr
    assert "patients" not in packing.stdout
    assert done.returncode == 0, done.stderr
    models = read_report(tmp_path / "report.json").models
    assert models is not None
    assert [record.path for record in models.models] == [str(model)]


def test_an_unwritable_out_is_refused_first(packed: Path, tmp_path: Path) -> None:
    done = run(packed, tmp_path, "--out", str(tmp_path))

    assert done.returncode == 2
    assert "name another with --out" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_for_another_python_is_refused(
    bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.remote.packing.cached_wheels", lambda *_: ())  # it comes to none of them
    other = "3.10" if sys.version_info[:2] != (3, 10) else "3.11"
    out = tmp_path / "job.pyz"
    words = ("--for", "laptop-cpu", "--python", other, "--only", "onnx-fp32", "--out", out)
    assert edgefit_here("pack", bundle_folder, *words).returncode == 0

    done = run(out, tmp_path)

    assert done.returncode == 5
    assert f"this file is for Python {other} on" in done.stderr
    assert "--python" in done.stderr


def test_a_profile_of_an_unsupported_device_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    done = edgefit_here("pack", bundle_folder, "--for", "jetson-nano", "--out", tmp_path / "job.pyz")

    assert done.returncode == 2
    assert "JetPack 4 is its last system" in done.stderr
    assert not (tmp_path / "job.pyz").exists()


def test_a_file_that_is_not_a_pack_is_not_replaced(bundle_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")

    done = edgefit_here("pack", bundle_folder, "--for", "laptop-cpu", "--out", tmp_path / "letter.txt")

    assert done.returncode == 2
    assert (tmp_path / "letter.txt").read_text() == "mine"
