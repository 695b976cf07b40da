"""What another Python that edgefit starts receives from this one."""

import os
from pathlib import Path

import pytest

from bench.system.python_process import python_command, python_environment


def test_variables_that_change_what_python_does_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONIOENCODING", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "/cache")
    monkeypatch.setenv("ANYTHING", "else")

    environment = python_environment({"ADDED": "too", "ANYTHING": "new"})

    assert not {name for name in environment if name.startswith("PYTHON")} - {
        "PYTHONPYCACHEPREFIX",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONNOUSERSITE",
        "PYTHONUSERBASE",
        "PYTHONUTF8",
    }
    assert environment["PYTHONPYCACHEPREFIX"] == "/cache"
    assert (environment["ADDED"], environment["ANYTHING"]) == ("too", "new")


def test_pythonpath_means_the_same_in_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}lib{os.pathsep}/opt/ros")

    folders = python_environment({})["PYTHONPATH"].split(os.pathsep)

    assert folders == [str(tmp_path), str(tmp_path / "lib"), "/opt/ros"]


def test_an_empty_pythonpath_names_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")

    assert python_environment({})["PYTHONPATH"] == ""


def test_the_module_can_be_seen_in_the_list_of_processes() -> None:
    assert python_command("bench.harness.start", "7")[-2:] == ("bench.harness.start", "7")
