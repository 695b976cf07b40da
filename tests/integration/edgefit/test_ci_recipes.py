"""Recipes of the page for CI are run to the letter, in a repository whose model changes, and for GitLab."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
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


def gitlab_script() -> list[str]:
    text = (ROOT / "docs" / "ci-recipes.md").read_text()
    (found,) = [block for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S) if "rules:" in block]
    script: list[str] = yaml.safe_load(found)["check"]["script"]
    return script


@pytest.fixture
def gitlab(tmp_path: Path) -> Path:
    """A folder with a bundle, a baseline, and an `edgefit` that knows only whether both are whole."""
    commands = {
        "git": "",
        "pip": "",
        "edgefit": 'grep -q whole "$2/manifest.json" && grep -q whole "$4/manifest.json" || exit 2',
    }
    for name, script in commands.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "make-bundle.sh").write_text("#!/bin/sh\nmkdir $1; cp new.json $1/manifest.json\n")
    (tmp_path / "make-bundle.sh").chmod(0o755)
    (tmp_path / "new.json").write_text("whole and new")
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline" / "manifest.json").write_text("whole and old")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "branch", "code", "kept"),
    [
        ("whole and old", "whole and new", "main", 0, "whole and new"),
        ("whole and old", "whole and new", "other", 0, "whole and old"),
        ("torn", "whole and new", "main", 0, "whole and new"),
        ("torn", "whole and new", "other", 2, None),
        (None, "whole and new", "main", 0, "whole and new"),
        ("whole and old", "torn", "main", 2, "whole and old"),
    ],
)
def test_the_recipe_for_gitlab_keeps_only_whole_baselines_of_the_default_branch(
    gitlab: Path, old: str | None, new: str, branch: str, code: int, kept: str | None
) -> None:
    baseline = gitlab / "baseline" / "manifest.json"
    (gitlab / "new.json").write_text(new)
    if old is None:
        shutil.rmtree(gitlab / "baseline")
    else:
        baseline.write_text(old)

    script = "\n".join(("set -e", f"CI_COMMIT_BRANCH={branch} CI_DEFAULT_BRANCH=main", *gitlab_script()))
    done = run(gitlab, script)

    assert done.returncode == code, done.stderr
    assert (baseline.read_text() if baseline.is_file() else None) == kept
    assert ("the kept baseline is damaged" in done.stdout) == (old == "torn")
