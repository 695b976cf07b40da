"""The CI action: its scripts are run as a runner would, and its inputs all reach them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from making.command_line import SHORT
from making.model_pairs import classifier
from making.repository import ROOT

from bench.bundle.manifest import MANIFEST, read_bundle

ACTION = ROOT / ".github" / "actions" / "check"
OPEN = (
    "--profile short.yaml --seconds 1 --max-slowdown 900% --max-load-slowdown 900% --max-memory-growth 900%"
)


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """The environment that a runner gives, and an `edgefit` in it."""
    command = tmp_path / "edgefit"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgefit "$@"\n')
    command.chmod(0o755)
    shutil.copy(SHORT, tmp_path)
    return {
        **os.environ,
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_ACTION_PATH": str(ACTION),
        "EDGEFIT": str(command),
        "EDGEFIT_PYTHON": sys.executable,
        "BASELINE": str(tmp_path / "kept here"),
        "UPDATE_BASELINE": "false",
        "ONLY": "onnx-fp32",
        "ARGUMENTS": OPEN,
    }


def check(runner: dict[str, str], **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ACTION / "check.sh"],
        env=runner | changes,
        cwd=runner["RUNNER_TEMP"],
        capture_output=True,
        text=True,
        check=False,
    )


def without_onnx(bundle: Path, target: Path) -> Path:
    """Copy a bundle but for onnx-fp32: a check against it blocks, and measures nothing."""
    manifest = json.loads((shutil.copytree(bundle, target) / MANIFEST).read_text())
    artifacts = [artifact for artifact in manifest["artifacts"] if artifact["format"] != "onnx"]
    (target / MANIFEST).write_text(json.dumps(manifest | {"artifacts": artifacts}))
    shutil.rmtree(target / "onnx-fp32")
    return target


def test_without_a_baseline_it_fails_but_where_it_may_keep_one(
    runner: dict[str, str], bundle_folder: Path
) -> None:
    candidate = {"CANDIDATE": str(bundle_folder)}

    refused = check(runner, **candidate)
    kept = check(runner, **candidate, UPDATE_BASELINE="true")

    assert refused.returncode == 2
    assert "::error title=edgefit::no baseline is kept yet" in refused.stdout
    assert kept.returncode == 0
    assert (Path(runner["BASELINE"]) / "manifest.json").is_file()


def test_the_result_is_in_the_summary_and_the_exit_code_is_the_checks(
    runner: dict[str, str], bundle_folder: Path
) -> None:
    baseline = Path(shutil.copytree(bundle_folder, runner["BASELINE"]))

    fine = check(runner, CANDIDATE=str(bundle_folder))
    (baseline / "onnx-fp32" / "model.onnx").write_bytes(b"spoilt")
    corrupt = check(runner, CANDIDATE=str(bundle_folder))

    assert fine.returncode == 0, fine.stderr
    assert "PASSED: nothing of onnx-fp32 is worse" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text()
    assert "exit-code=0\n" in Path(runner["GITHUB_OUTPUT"]).read_text()
    assert corrupt.returncode == 2
    assert Path(runner["GITHUB_OUTPUT"]).read_text().count("exit-code=2\n") == 1


def test_the_default_branch_takes_a_blocked_candidate_as_baseline(
    runner: dict[str, str], bundle_folder: Path
) -> None:
    baseline = Path(shutil.copytree(bundle_folder, runner["BASELINE"]))
    less = without_onnx(bundle_folder, bundle_folder.with_name("less"))

    on_a_branch = check(runner, CANDIDATE=str(less))
    kept = (baseline / "manifest.json").read_text()
    merged = check(runner, CANDIDATE=str(less), UPDATE_BASELINE="true")

    assert (on_a_branch.returncode, merged.returncode) == (10, 10)
    assert kept == (bundle_folder / "manifest.json").read_text()
    assert (baseline / "manifest.json").read_text() == (less / "manifest.json").read_text()
    assert Path(runner["GITHUB_OUTPUT"]).read_text().count("renewed=true") == 1


def test_a_corrupt_candidate_does_not_become_the_baseline(
    runner: dict[str, str], bundle_folder: Path
) -> None:
    baseline = Path(shutil.copytree(bundle_folder, runner["BASELINE"]))
    (bundle_folder / "onnx-fp32" / "model.onnx").write_bytes(b"spoilt")

    done = check(runner, CANDIDATE=str(bundle_folder), UPDATE_BASELINE="true")

    assert done.returncode == 2
    assert (baseline / "onnx-fp32" / "model.onnx").read_bytes() != b"spoilt"


def test_arguments_may_stand_on_several_lines(runner: dict[str, str], bundle_folder: Path) -> None:
    shutil.copytree(bundle_folder, runner["BASELINE"])

    done = check(runner, CANDIDATE=str(bundle_folder), ARGUMENTS="--seconds 1\n--skip-equal\n--max-growth 2%")

    assert done.returncode == 0, done.stderr
    assert "latency, process" not in done.stderr


def test_a_model_file_is_kept_with_its_data_and_the_next_one_is_compared_with_it(
    runner: dict[str, str], tmp_path: Path
) -> None:
    first = classifier(tmp_path / "one" / "model-1.onnx", has_external_data=True)
    second = classifier(tmp_path / "two" / "model-2.onnx", change=0.05)
    models = {"ONLY": "", "ARGUMENTS": f"{OPEN} --max-growth 900%"}

    kept = check(runner, CANDIDATE=str(first), UPDATE_BASELINE="true", **models)
    shutil.rmtree(first.parent)
    compared = check(runner, CANDIDATE=str(second), **models)

    assert kept.returncode == 0, kept.stderr
    assert sorted(path.name for path in Path(runner["BASELINE"]).iterdir()) == [
        "model-1.onnx",
        "model-1.onnx.data",
        "model-file.txt",
    ]
    assert compared.returncode == 10, compared.stderr
    assert "::error title=edgefit%3A model-2.onnx outputs WORSE" in compared.stdout
    assert "| model-2.onnx |" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text()


def test_a_baseline_that_is_a_file_is_compared_with_and_never_replaced(
    runner: dict[str, str], tmp_path: Path
) -> None:
    model, old = classifier(tmp_path / "new.onnx"), classifier(tmp_path / "old.onnx")
    models = {"CANDIDATE": str(model), "BASELINE": str(old), "ONLY": "", "ARGUMENTS": "--skip-equal"}

    compared, refused = check(runner, **models), check(runner, **models, UPDATE_BASELINE="true")

    assert compared.returncode == 0, compared.stderr
    assert refused.returncode == 2
    assert "the baseline is a file of yours, which is not replaced" in refused.stdout
    assert old.is_file()


def half(path: Path) -> None:
    """Leave the first half of a file, as an upload that broke off."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def half_a_manifest(baseline: Path) -> None:
    half(baseline / MANIFEST)


def half_a_model(baseline: Path) -> None:
    half(baseline / "onnx-fp32" / "model.onnx")


def no_manifest(baseline: Path) -> None:
    (baseline / MANIFEST).unlink()


def no_model(baseline: Path) -> None:
    shutil.rmtree(baseline / "onnx-fp32")


@pytest.mark.parametrize("damage", [half_a_manifest, half_a_model, no_manifest, no_model])
def test_a_damaged_baseline_is_said_and_replaced_on_the_default_branch(
    runner: dict[str, str], bundle_folder: Path, damage: Callable[[Path], None]
) -> None:
    baseline = Path(shutil.copytree(bundle_folder, runner["BASELINE"]))
    damage(baseline)
    options = {"CANDIDATE": str(bundle_folder), "ARGUMENTS": "--skip-equal"}

    on_a_branch = check(runner, **options)
    merged = check(runner, **options, UPDATE_BASELINE="true")

    warning = "::warning title=edgefit::the kept baseline is "
    assert on_a_branch.returncode == 2
    assert warning in on_a_branch.stdout
    assert "run this action once on the default branch with update-baseline" in on_a_branch.stdout
    assert merged.returncode == 0, merged.stderr
    assert warning in merged.stdout
    assert "this candidate becomes the baseline" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text()
    assert read_bundle(baseline).manifest == read_bundle(bundle_folder).manifest


def test_half_a_model_file_is_replaced(runner: dict[str, str], tmp_path: Path) -> None:
    model = classifier(tmp_path / "one" / "model.onnx")
    models = {"CANDIDATE": str(model), "ONLY": "", "ARGUMENTS": "--skip-equal", "UPDATE_BASELINE": "true"}
    kept = Path(runner["BASELINE"]) / "model.onnx"

    check(runner, **models)
    half(kept)
    renewed = check(runner, **models)

    assert renewed.returncode == 0, renewed.stderr
    assert "::warning title=edgefit::the kept baseline is damaged" in renewed.stdout
    assert kept.read_bytes() == model.read_bytes()


def test_an_empty_folder_is_no_baseline_and_a_name_in_it_leads_nowhere_else(
    runner: dict[str, str], bundle_folder: Path, tmp_path: Path
) -> None:
    baseline = Path(runner["BASELINE"])
    baseline.mkdir()

    empty = check(runner, CANDIDATE=str(bundle_folder))
    (tmp_path / "secret.onnx").write_text("another file")
    (baseline / "model-file.txt").write_text("../secret.onnx")
    elsewhere = check(runner, CANDIDATE=str(bundle_folder))

    assert (empty.returncode, elsewhere.returncode) == (2, 2)
    assert "::error title=edgefit::no baseline is kept yet" in empty.stdout
    assert "::error title=edgefit::the kept baseline is incomplete" in elsewhere.stdout


def test_wrong_options_damage_no_baseline(runner: dict[str, str], bundle_folder: Path) -> None:
    baseline = Path(shutil.copytree(bundle_folder, runner["BASELINE"]))

    done = check(runner, CANDIDATE=str(bundle_folder), ARGUMENTS="--nonsense", UPDATE_BASELINE="true")

    assert done.returncode == 2
    assert "warning" not in done.stdout
    assert read_bundle(baseline).manifest == read_bundle(bundle_folder).manifest


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "workflow_run", "issue_comment"])
def test_what_others_propose_never_becomes_the_baseline(runner: dict[str, str], event: str) -> None:
    done = check(runner, CANDIDATE="bundle", UPDATE_BASELINE="true", GITHUB_EVENT_NAME=event)

    assert done.returncode == 2
    assert f"::error title=edgefit::what {event} brings never becomes the baseline" in done.stdout


def test_torch_alone_comes_from_its_own_index_and_everything_in_tested_versions(
    runner: dict[str, str], tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"\n'
        f'else echo "$@" >> "{tmp_path}/calls"; fi\n'
    )
    python.chmod(0o755)
    given = {"PYTHON": str(python), "EXTRAS": "onnx,torchscript", "TORCH_INDEX_URL": "https://torch.example"}

    subprocess.run([ACTION / "install.sh"], env=runner | given, check=True)

    torch, rest = (tmp_path / "calls").read_text().splitlines()
    constraint = f"--constraint {ROOT / 'constraints.txt'}"
    assert torch.endswith(f"{constraint} --no-deps --index-url https://torch.example torch torchvision")
    assert rest.endswith(f"{constraint} {ROOT}[onnx,torchscript]")
    assert "index" not in rest
