"""The CI action: its scripts are run as a runner would, and its inputs all reach them."""

import json
import os
import shutil
import subprocess
import sys
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


def test_the_result_is_in_the_summary_and_the_exit_code_is_the_checks(
    runner: dict[str, str], bundle_folder: Path
) -> None:
    shutil.copytree(bundle_folder, runner["BASELINE"])

    fine = check(runner, CANDIDATE=str(bundle_folder))

    assert fine.returncode == 0, fine.stderr
    assert "PASSED: nothing of onnx-fp32 is worse" in Path(runner["GITHUB_STEP_SUMMARY"]).read_text()
    assert "exit-code=0\n" in Path(runner["GITHUB_OUTPUT"]).read_text()


@pytest.mark.slow
def test_the_default_branch_takes_a_blocked_candidate_as_baseline(
    runner: dict[str, str], bundle_folder: Path
) -> None:
    baseline = Path(shutil.copytree(bundle_folder, runner["BASELINE"]))
    less = without_onnx(bundle_folder, bundle_folder.with_name("less"))

    merged = check(runner, CANDIDATE=str(less), UPDATE_BASELINE="true")

    assert merged.returncode == 10, merged.stderr
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


@pytest.mark.slow
def test_half_a_model_in_the_baseline_is_said_and_replaced_on_the_default_branch(
    runner: dict[str, str], bundle_folder: Path
) -> None:
    baseline = Path(shutil.copytree(bundle_folder, runner["BASELINE"]))
    half(baseline / "onnx-fp32" / "model.onnx")
    options = {"ARGUMENTS": "--skip-equal", "UPDATE_BASELINE": "true"}

    done = check(runner, CANDIDATE=str(bundle_folder), **options)

    assert done.returncode == 0, done.stderr
    assert "::warning title=edgefit::the kept baseline is damaged" in done.stdout
    assert read_bundle(baseline).manifest == read_bundle(bundle_folder).manifest


@pytest.fixture
def simple(runner: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A runner whose `edgefit` knows only whether a folder's manifest, or a model file, is whole or worse."""
    (tmp_path / "edgefit").write_text(
        "#!/bin/sh\n"
        'case "$*" in *--nonsense*) exit 2;; esac\n'
        'for one in "$2" "$4"; do\n'
        '  if [ -d "$one" ]; then one="$one/manifest.json"; fi\n'
        '  grep -q "^whole$" "$one" || exit 2\n'
        "done\n"
        'if [ "$2" != "$4" ] && grep -q "^worse$" "$2/manifest.json"; then exit 10; fi\n'
    )
    bundle = tmp_path / "bundle"
    for folder in (bundle, Path(runner["BASELINE"])):
        folder.mkdir()
        (folder / MANIFEST).write_text("whole\n")
        (folder / "model").write_text("a model")
    return {**runner, "CANDIDATE": str(bundle), "ARGUMENTS": ""}


@pytest.mark.parametrize(
    ("manifest", "model_file"),
    [
        ("who", None),
        (None, None),
        (None, "model"),
        (None, "gone.onnx"),
        (None, f"../bundle/{MANIFEST}"),
    ],
    ids=["half a manifest", "no manifest", "half a model", "no model", "a name that leads elsewhere"],
)
def test_a_damaged_baseline_counts_as_none_and_that_is_said(
    simple: dict[str, str], manifest: str | None, model_file: str | None
) -> None:
    baseline = Path(simple["BASELINE"])
    for name, text in ((MANIFEST, manifest), ("model-file.txt", model_file)):
        (baseline / name).unlink(missing_ok=True)
        if text is not None:
            (baseline / name).write_text(text)

    on_a_branch = check(simple)
    merged = check(simple, UPDATE_BASELINE="true")

    warning = "::warning title=edgefit::the kept baseline is "
    assert on_a_branch.returncode == 2
    assert warning in on_a_branch.stdout
    assert "run this action once on the default branch with update-baseline" in on_a_branch.stdout
    assert merged.returncode == 0, merged.stderr
    assert warning in merged.stdout
    assert "this candidate becomes the baseline" in Path(simple["GITHUB_STEP_SUMMARY"]).read_text()
    assert (baseline / MANIFEST).read_text() == "whole\n"
    assert sorted(path.name for path in baseline.iterdir()) == [MANIFEST, "model"]


def test_a_blocked_candidate_becomes_the_baseline_on_the_default_branch_alone(simple: dict[str, str]) -> None:
    candidate, baseline = Path(simple["CANDIDATE"]) / MANIFEST, Path(simple["BASELINE"]) / MANIFEST
    candidate.write_text("whole\nworse\n")

    on_a_branch = check(simple)
    kept = baseline.read_text()
    merged = check(simple, UPDATE_BASELINE="true")

    assert (on_a_branch.returncode, merged.returncode) == (10, 10)
    assert (kept, baseline.read_text()) == ("whole\n", "whole\nworse\n")
    said = Path(simple["GITHUB_OUTPUT"]).read_text()
    assert (said.count("exit-code=10\n"), said.count("renewed=true\n")) == (2, 1)


@pytest.mark.parametrize("has_folder", [True, False])
def test_without_a_baseline_it_fails_but_where_it_may_keep_one(
    simple: dict[str, str], has_folder: bool
) -> None:
    baseline = Path(simple["BASELINE"])
    shutil.rmtree(baseline)
    if has_folder:
        baseline.mkdir()

    refused = check(simple)
    kept = check(simple, UPDATE_BASELINE="true")

    assert refused.returncode == 2
    assert "::error title=edgefit::no baseline is kept yet" in refused.stdout
    assert Path(simple["GITHUB_OUTPUT"]).read_text().count("exit-code=2\n") == 1
    assert kept.returncode == 0
    assert (baseline / MANIFEST).read_text() == "whole\n"


@pytest.mark.parametrize("change", [{"ARGUMENTS": "--nonsense"}, {"CANDIDATE": "missing"}])
def test_wrong_options_or_a_damaged_candidate_touch_no_baseline(
    simple: dict[str, str], change: dict[str, str]
) -> None:
    done = check(simple | change, UPDATE_BASELINE="true")

    assert done.returncode == 2
    assert "::warning" not in done.stdout
    assert (Path(simple["BASELINE"]) / "model").is_file()
    assert "renewed=false" in Path(simple["GITHUB_OUTPUT"]).read_text()


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
    given = {
        "RUNNER_TEMP": str(tmp_path / "runner"),
        "PYTHON": str(python),
        "EXTRAS": "onnx,torchscript",
        "TORCH_INDEX_URL": "https://torch.example",
    }

    subprocess.run([ACTION / "install.sh"], env=runner | given, check=True)

    torch, rest = (tmp_path / "calls").read_text().splitlines()
    constraint = f"--constraint {ROOT / 'constraints.txt'}"
    assert torch.endswith(f"{constraint} --no-deps --index-url https://torch.example torch torchvision")
    assert rest.endswith(f"{constraint} {ROOT}[onnx,torchscript]")
    assert "index" not in rest
