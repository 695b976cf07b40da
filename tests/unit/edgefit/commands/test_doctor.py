"""`edgefit doctor --on` of a board whose answer is odd or hostile."""

import json
from typing import Any

import pytest
from making.command_line import edgefit_here
from making.probed_board import pi_4, probe_of, with_files

from bench.remote import board

HOSTILE = "a\x1b[2Jb\x9b2J [/nothing] [link=x]"
GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
ZONE = "/sys/class/thermal/thermal_zone0/type"
MODEL = "/proc/device-tree/model"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_what_a_board_says_does_not_reach_the_terminal_as_a_command(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    files = with_files(**{GOVERNOR: HOSTILE, ZONE: HOSTILE, MODEL: HOSTILE, "/etc/nv_tegra_release": HOSTILE})
    gpu = {**files["files"], "/dev/nvgpu": ""}
    modules = {"onnxruntime": HOSTILE}
    answer = {**files, "files": gpu, "modules": modules, "os": HOSTILE, "store": HOSTILE, "emulated": HOSTILE}
    monkeypatch.setattr(board, "probe_board", lambda _: probe_of(answer))

    done = edgefit_here("doctor", "--on", "ssh://board", *words)

    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    assert shown.count(r"a\x1b[2Jb\x9b2J [/nothing]") >= 7
    assert shown.replace("\n", "").isprintable()
    if words:
        assert json.loads(done.stdout)["host"]["governor"] == HOSTILE


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (pi_4(stat_before="cpu 1\n"), "the answer of edgefit's agent is not valid"),
        (with_files(**{"/../../a\x1b[2J": ""}), r"the board sent a file with the path '/../../a\x1b[2J'"),
    ],
)
def test_an_odd_answer_is_one_printable_sentence_and_exit_code_5(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], reason: str
) -> None:
    monkeypatch.setattr(board, "probe_board", lambda _: probe_of(answer))

    done = edgefit_here("doctor", "--on", "ssh://board")

    assert done.returncode == 5
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"edgefit: board: {reason}")
    assert line.isprintable()
