"""`edgefit compare` as a user runs it: bundles and a run folder measured together, and kept in a folder."""

import json
from pathlib import Path

from making.changed_bundle import changed, slowed
from making.command_line import SHORTLY, edgefit

from bench.compare.folder import read_comparison


def test_networks_are_measured_together_and_kept_in_a_folder(
    bundle_folder: Path, run_folder: Path, tmp_path: Path
) -> None:
    slow = changed(bundle_folder, tmp_path / "slow", {"onnx-fp32": slowed(2)})
    out = tmp_path / "comparison"

    done = edgefit(
        "compare", bundle_folder, slow, run_folder, "--only", "onnx-fp32", *SHORTLY, "--out", out, "--json",
        cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["networks"] == ["bundle", "slow", run_folder.name]
    row, exported = [row for row in document["rows"] if row["against"] is not None]
    assert (row["name"], row["against"]["baseline"]) == ("slow/onnx-fp32", "bundle/onnx-fp32")
    assert row["against"]["accuracy"]["value"] == 0
    assert row["parameters"] > document["rows"][0]["parameters"]
    assert row["macs"] > document["rows"][0]["macs"]
    assert exported["name"] == f"{run_folder.name}/onnx-fp32"
    assert exported["against"]["times_as_fast"]["value"] > 0
    assert f"{run_folder} is exported as onnx-fp32, for this comparison alone" in done.stderr
    comparison, reports = read_comparison(out, None)
    assert [each.name for each in comparison.rows] == [each["name"] for each in document["rows"]]
    assert len(reports) == 3
