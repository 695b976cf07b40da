"""`edgefit doctor --on` of a board whose answer is odd or hostile."""

import json
from typing import Any

import pytest
from making.command_line import edgefit_here
from making.probed_board import pi_4, probe_of, with_files
from making.recorded_cpus import Cpu, cpu_files

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
    answer["variables"] = {"OMP_PLACES": HOSTILE}
    monkeypatch.setattr(board, "probe_board", lambda _: probe_of(answer))

    done = edgefit_here("doctor", "--on", "ssh://board", *words)

    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    assert shown.count(r"a\x1b[2Jb\x9b2J [/nothing]") >= 8
    assert shown.replace("\n", "").isprintable()
    if words:
        assert json.loads(done.stdout)["host"]["governor"] == HOSTILE


def test_a_board_shows_its_cores_its_limit_and_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    big_little = cpu_files([*[Cpu("A53", 446)] * 2, *[Cpu("A73", 1024)] * 4], online="0-5")
    limit = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}
    files = with_files(**{f"/{path}": text for path, text in {**big_little, **limit}.items()})
    variables = {"OMP_THREAD_LIMIT": "1", "LD_PRELOAD": "/lib/jemalloc.so"}
    answer = {**files, "usable_cpus": list(range(6)), "variables": variables}
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setattr(board, "probe_board", lambda _: probe_of(answer))

    done = edgefit_here("doctor", "--on", "ssh://board")

    assert "6 cores: 4× Cortex-A73 (fast) + 2× Cortex-A53" in done.stdout
    assert "2 for an inference; this container may use 2.5 of 6 CPUs" in done.stdout
    assert "LD_PRELOAD=/lib/jemalloc.so (kept), OMP_THREAD_LIMIT=1 (cleared)" in " ".join(done.stdout.split())
    assert "OMP_NUM_THREADS" not in done.stdout


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (pi_4(stat_before="cpu 1\n"), "the answer of edgefit's agent is not valid"),
        (
            with_files(**{"/proc/self/cgroup": "0::/", "/sys/fs/cgroup/cpu.max": "1 0"}),
            "the answer of edgefit's agent is not valid",
        ),
        (
            with_files(**{"/sys/devices/system/cpu/online": "0-999999999999"}),
            "the answer of edgefit's agent is not valid",
        ),
        (with_files(**{"/../../a\x1b[2J": ""}), r"the board sent the file '/../../a\x1b[2J', which edgefit"),
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
