"""The whole path on emulated arm64 boards that have Python and an SSH server, and nothing else."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from making.command_line import SHORTLY, edgefit
from making.emulated_board import EmulatedBoard

from bench.report.files import read_report
from bench.report.schema import Report, Run

# Emulated, a run takes minutes; how many, depends on the machine.
pytestmark = pytest.mark.timeout(1800)

_STORE = "/root/.cache/edgefit-board"
_MOST_MB = 200
_MOSTLY = 0.5


def row_of(report: Report, variant: str) -> Run:
    row = next(run for run in report.runs if run.variant == variant)
    assert row.status == "completed", row.reason
    return row


def logits(report: Report, variant: str) -> npt.NDArray[np.float64]:
    row = row_of(report, variant)
    assert row.completed is not None
    return np.asarray(row.completed.logits)


def int8_share(report: Report, variant: str) -> float:
    summary = row_of(report, variant).summary
    assert summary is not None
    assert summary.precision_ran is not None
    assert summary.precision_ran.share_of_macs is not None
    return float(summary.precision_ran.share_of_macs.get("int8", 0.0))


def test_a_bare_board_predicts_as_the_host_does(pi_5: EmulatedBoard, four: Path, tmp_path: Path) -> None:
    there, here, alone = (tmp_path / f"{name}.json" for name in ("there", "here", "alone"))

    first = edgefit("bench", four, "--on", "ssh://pi-5", "--quick", "--out", there)
    second = edgefit("bench", four, "--on", "ssh://pi-5", "--quick", "--only", "onnx-fp32")
    files = (four / "onnx-fp32" / "model.onnx", four / "openvino-fp32" / "model.xml")
    third = edgefit("bench", *files, "--on", "ssh://pi-5", *SHORTLY, "--out", alone)
    cleaned = edgefit("clean", "--on", "ssh://pi-5")
    left = pi_5.ssh("ls -A /root /tmp /var/tmp")
    host = edgefit("bench", four, "--quick", "--out", here)

    assert first.returncode == 0, first.stderr
    assert second.returncode == 0, second.stderr
    assert "sending" in first.stderr
    assert "sending" not in second.stderr
    assert cleaned.returncode == 0, cleaned.stderr
    assert left.split() == ["/root:", ".ssh", "/tmp:", "/var/tmp:"]
    assert host.returncode == 0, host.stderr
    board, laptop = read_report(there), read_report(here)
    assert board.profile.name == "raspberry-pi-5"
    assert {run.provenance for run in board.runs if run.is_variant} == {"proxy"}
    assert board.host.governor == "ondemand"
    for variant in ("onnx-fp32", "openvino-fp32"):
        np.testing.assert_allclose(logits(board, variant), logits(laptop, variant), atol=1e-4, rtol=0)
    # Most images give the same bits; on the others a value between two steps was rounded the other way.
    there_int8, here_int8 = logits(board, "onnx-int8"), logits(laptop, "onnx-int8")
    assert (there_int8 == here_int8).all(axis=1).mean() > _MOSTLY
    np.testing.assert_array_equal(there_int8.argmax(axis=1), here_int8.argmax(axis=1))
    # OpenVINO runs more in fp32 on Arm, and the report says so; its predictions differ, then.
    assert int8_share(board, "openvino-int8") < int8_share(laptop, "openvino-int8")
    # The files alone: their formats on Arm agree, without a bundle and without torch.
    assert third.returncode == 0, third.stderr
    summary = row_of(read_report(alone), "model.xml").summary
    assert summary is not None
    assert summary.outputs is not None
    assert [output.cosine for output in summary.outputs.outputs] == [pytest.approx(1.0, abs=1e-6)]


def test_two_boards_with_onnxruntime_take_little_disk(
    pi_4: EmulatedBoard, pi_5: EmulatedBoard, four: Path, tmp_path: Path
) -> None:
    pi_4.ssh("echo 0x50005 > /etc/board/throttled")
    boards = ("--on", "ssh://pi-4", "--on", "ssh://pi-5")

    done = edgefit(
        "bench", four, *boards, "--only", "onnx-int8", "--quick", "--out", tmp_path / "report.json"
    )

    assert done.returncode == 0, done.stderr
    found = [read_report(tmp_path / f"report-pi-{number}.json") for number in (4, 5)]
    assert [one.profile.name for one in found] == ["raspberry-pi-4", "raspberry-pi-5"]
    assert ["asimddp" in one.host.cpu_features for one in found] == [False, True]
    assert ["under-voltage" in str(one.warnings) for one in found] == [True, False]
    assert "pi-4: warning: the board is throttled (under-voltage" in done.stderr
    for board in (pi_4, pi_5):
        assert int(board.ssh(f"du -sm {_STORE}").split()[0]) < _MOST_MB
