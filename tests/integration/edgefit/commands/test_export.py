"""`edgefit export --cpu` as a user meets it."""

import json
from pathlib import Path

from making.command_line import edgefit_here

from bench.bundle.cpu_class import FULL_LEVEL, TARGETS

OPTIONS = ("--formats", "onnx", "--precisions", "int8", "--min-retention", "0", "--eval-images", "8")


def test_the_option_cpu_reaches_the_exporter_and_the_manifest(run_folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"

    done = edgefit_here("export", run_folder, "--out", bundle, *OPTIONS, "--cpu", "arm")

    assert done.returncode == 0, done.stderr
    (artifact,) = json.loads((bundle / "manifest.json").read_text())["artifacts"]
    assert artifact["cpu"] == "arm"
    assert [check["cpu_class"] for check in artifact["classes"]] == [
        cpu_class.value for cpu_class in TARGETS["arm"].classes
    ]
    assert f"±{FULL_LEVEL}" in artifact["method"]
    assert "made for --cpu arm" in " ".join(done.stdout.split())


def test_an_unknown_cpu_is_refused_with_a_list_of_the_known_ones(run_folder: Path, tmp_path: Path) -> None:
    done = edgefit_here("export", run_folder, "--out", tmp_path / "bundle", *OPTIONS, "--cpu", "risc-v")

    assert done.returncode == 2
    assert f"unknown CPU 'risc-v'; choose from: {', '.join(TARGETS)}" in " ".join(done.stderr.split())
    assert not (tmp_path / "bundle").exists()
