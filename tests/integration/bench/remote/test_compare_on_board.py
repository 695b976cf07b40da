"""Networks are compared over a real SSH connection: they take turns on the board, and come back together."""

import json
from pathlib import Path

import pytest
from making.changed_bundle import changed, slowed
from making.command_line import SHORTLY, edgefit_here
from making.ssh_server import SshServer

from bench.compare.folder import read_comparison


@pytest.mark.slow
def test_networks_take_turns_on_a_board_and_come_back_as_a_comparison(
    first_use: Path, used_board: SshServer, wheelhouse: Path, tmp_path: Path
) -> None:
    bundle, model = first_use / "bundle", first_use / "bundle" / "onnx-fp32" / "model.onnx"
    slow = changed(bundle, tmp_path / "slow", {"onnx-fp32": slowed(2)})
    file = Path(tmp_path / "alone.onnx")
    file.write_bytes(model.read_bytes())
    out = tmp_path / "comparison"
    words = ("--on", used_board.target, "--wheelhouse", wheelhouse, "--only", "onnx-fp32", *SHORTLY)

    done = edgefit_here("compare", bundle, slow, file, *words, "--out", out, "--json")
    again = edgefit_here("compare", bundle, slow, file, *words)

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [row["name"] for row in document["rows"]] == ["bundle/onnx-fp32", "slow/onnx-fp32", "alone.onnx"]
    assert document["rows"][1]["against"]["times_as_fast"]["value"] < 1
    assert document["rows"][1]["against"]["accuracy"]["value"] == 0
    assert "evaluation images, which may show patients" in done.stderr
    comparison, reports = read_comparison(out, "slow")
    assert comparison.baseline == "slow"
    assert len(reports) == 3
    assert again.returncode == 0, again.stderr
    assert "against bundle/onnx-fp32" in " ".join(again.stdout.split())
    assert not list(used_board.store.glob("jobs/*"))
