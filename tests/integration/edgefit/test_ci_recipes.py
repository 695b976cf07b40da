"""The first recipe of the page for CI is run to the letter, in a repository whose model changes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from making.check_command import ANY_TIME
from making.command_line import SHORT
from making.model_pairs import classifier
from making.repository import ROOT

_GIT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose default branch has a model, and an `edgefit` that measures shortly."""
    command = tmp_path / "bin" / "edgefit"
    command.parent.mkdir()
    shortly = " ".join(("--seconds", "1", "--profile", str(SHORT), *ANY_TIME))
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgefit "$@" {shortly}\n')
    command.chmod(0o755)
    classifier(tmp_path / "model.onnx")
    commit = "git init -q && git add model.onnx && git commit -qm model"
    made = run(tmp_path, f"{commit} && git update-ref refs/remotes/origin/main HEAD")
    assert made.returncode == 0, made.stderr
    return tmp_path


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | _GIT | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def first_recipe() -> str:
    text = (ROOT / "docs" / "ci-recipes.md").read_text()
    found = re.search(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_recipe_for_two_model_files_blocks_a_model_that_gives_other_classes(checkout: Path) -> None:
    same = run(checkout, first_recipe())
    classifier(checkout / "model.onnx", change=0.05)
    changed = run(checkout, first_recipe())

    assert same.returncode == 0, same.stderr
    assert "PASSED: nothing of model.onnx is worse" in same.stdout
    assert changed.returncode == 10, changed.stderr
    assert "BLOCKED: model.onnx gives the baseline's class for " in changed.stdout
    assert {"edgefit.xml", "edgefit.md"} <= {path.name for path in checkout.iterdir()}
