"""What a board's own files mean is found out here, as on any machine; and why edgefit cannot work on one."""

import os
from pathlib import Path
from typing import Any

import pytest
from making.seen_board import pi_4, with_files

from bench.bundle.manifest import read_bundle
from bench.devices.matching import profile_that_is
from bench.errors import BoardError, MissingRuntimeError
from bench.remote.agent.probing import probe
from bench.remote.agent.store import Store
from bench.remote.job_spec import place_of, provided_by, requirements_for, select
from bench.remote.probe import WANTED, probed
from bench.run.machine_warnings import machine_warnings
from bench.system.host import read_host
from device_profiles.loading import shipped_profiles


def test_a_pi_is_known_by_its_files() -> None:
    found = probed("board", pi_4())

    assert found.host.cpu == "Cortex-A72"
    assert found.host.board == "Raspberry Pi 4 Model B Rev 1.5"
    assert found.host.physical_cores == 4
    assert found.host.governor == "ondemand"
    assert found.host.emulated is None
    assert found.state.temperatures == {"cpu-thermal (thermal_zone0)": 48.2}
    assert found.state.throttled_bits == 0x50000
    assert found.state.available_bytes == 3500032 << 10
    assert found.state.swap_used_bytes == 10240 << 10
    assert found.state.busy_share == pytest.approx(
        0.25
    )  # 50 hundredths of a second in half a second, of 4 CPUs
    assert profile_that_is(found.host, shipped_profiles(), "board").name == "raspberry-pi-4"
    assert any("under-voltage" in warning for warning in machine_warnings(found.host, found.state))


def test_this_machine_looks_from_its_agent_as_it_does_from_within(tmp_path: Path) -> None:
    answer = probe(Store(tmp_path / "store"), **WANTED)

    found = probed("here", {**answer, "programs_above": []})

    assert found.host == read_host().model_copy(update={"emulated": None})
    assert found.facts.disk_free_bytes > 0
    assert "numpy" in found.facts.modules
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (pi_4(bits=32, architecture="armv7l"), "install the 64-bit edition of its system"),
        (pi_4(bits=32), "install the 64-bit edition of its system"),
        (pi_4(system="Darwin"), "edgefit measures on boards with Linux"),
        (pi_4(implementation="PyPy"), "the runtimes need the usual CPython"),
        (pi_4(abi_flags="t"), "the runtimes need the usual CPython"),
        (pi_4(libc=None), "its C library is not glibc"),
        (pi_4(may_write=False), "/home/pi/.cache/edgefit-board cannot be written"),
        (
            with_files(**{"/proc/meminfo": "MemTotal: 262144 kB\nMemAvailable: 200000 kB\n"}),
            "has 256 MiB of memory",
        ),
    ],
)
def test_a_board_that_cannot_be_used_says_why(answer: dict[str, Any], reason: str) -> None:
    with pytest.raises(BoardError, match=reason) as error:
        probed("board", answer).refuse_unusable()

    assert error.value.exit_code == 5


def test_an_answer_that_is_none_is_an_error_and_no_crash() -> None:
    with pytest.raises(BoardError, match="its look cannot be read"):
        probed("board", {"python": "3"})
    with pytest.raises(BoardError, match="is no path on a board"):
        _ = probed("board", with_files(**{"/../../outside": "x"})).host


def test_an_emulated_board_is_known_by_what_it_is_told_or_by_the_programs_above() -> None:
    told = probed("board", pi_4(emulated="qemu-user"))
    above = probed("board", pi_4(programs_above=["/usr/bin/qemu-aarch64-static"]))

    assert told.host.emulated == "EDGEFIT_EMULATED says qemu-user"
    assert above.host.emulated == "it runs under qemu-aarch64-static"


def test_a_jetson_runs_its_own_runtimes_and_is_brought_the_rest(bundle_folder: Path) -> None:
    modules = {"onnxruntime": "1.18.0", "numpy": "1.26.1"}
    release = {"/etc/nv_tegra_release": "# R36 (release), REVISION: 4.3"}
    jetson = probed("board", {**with_files(**release), "python": [3, 10, 12], "modules": modules})

    chosen = select(read_bundle(bundle_folder), (), (), jetson.own_modules)

    assert chosen.formats == ("onnx",)
    assert chosen.own == ("onnx",)
    assert set(chosen.left_out) == {"openvino", "torchscript"}
    assert "is no package of this board's Python" in chosen.left_out["torchscript"]
    assert provided_by(jetson) == ("numpy",)
    assert "numpy<2" in requirements_for(chosen, has_own=True)
    assert place_of(jetson).python == "3.10"


def test_a_plain_board_is_brought_all_but_torch(bundle_folder: Path) -> None:
    bundle, board = read_bundle(bundle_folder), probed("board", pi_4())

    unasked = select(bundle, (), (), board.own_modules)
    asked = select(bundle, (), ("torchscript",), board.own_modules)

    assert unasked.formats == ("onnx", "openvino")
    assert "--with torchscript" in unasked.left_out["torchscript"]
    assert set(asked.formats) == {"onnx", "openvino", "torchscript"}
    with pytest.raises(MissingRuntimeError, match="torchscript-fp32"):
        select(bundle, ("torchscript-fp32",), (), board.own_modules)


def test_no_device_file_is_read_as_if_it_were_text() -> None:
    files = probe(Store(Path("/nowhere")), ["/dev/zero", "/proc/version"], [], {})["files"]

    assert files["/dev/zero"] == ""
    assert files["/proc/version"].startswith("Linux") or os.uname().sysname != "Linux"
