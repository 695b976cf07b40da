"""The main job, end to end, on few and small images: nine rows, each result as the next command takes it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def edgefit(*words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "edgefit", *map(str, words), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(600)
def test_generated_images_become_nine_benchmarked_artifacts(tmp_path: Path) -> None:
    run, bundle, report = tmp_path / "run", tmp_path / "bundle", tmp_path / "report.json"
    source = ("--data", "synthetic", "--images", "200", "--weights", "bundled", "--image-size", "64")

    trained = json.loads(edgefit("finetune", *source, "--epochs", "2", "--out", run))
    exported = json.loads(edgefit("export", run, "--eval-images", "40", "--out", bundle))
    edgefit("bench", bundle, "--quick", "--out", report)

    assert trained["weights"]["name"] == exported["model"]["weights"].split("(")[-1].rstrip(")")
    assert exported["failed"] == []
    rows = json.loads(report.read_text())["runs"]
    assert [row["variant"] for row in rows] == [
        f"{name}-{precision}"
        for name in ("torchscript", "onnx", "openvino")
        for precision in ("fp32", "fp16", "int8")
    ] + ["null", "yardstick"]
    for row in rows[:-2]:
        assert row["status"] == "completed", row["reason"]
        assert row["accuracy"]["images"] == 40
        on_disk = sum(path.stat().st_size for path in (bundle / row["variant"]).iterdir())
        assert row["size_bytes"] == on_disk
        assert row["accuracy"]["agreement"] >= 0.9
        ran = row["precision_ran"]["share_of_macs"]
        asked = row["precision_ran"]["requested"]
        assert ran.get("fp32", 0) >= 0.99 if asked != "int8" else ran["int8"] > 0.5
