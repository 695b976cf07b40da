"""The probe of a board: its files are read as this machine's are, and an unusable board says why."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from making.probed_board import pi_4, probe_of, with_files

from bench.bundle.manifest import read_bundle
from bench.devices.matching import profile_that_is
from bench.errors import BoardError, MissingRuntimeError
from bench.remote.agent.probing import probe
from bench.remote.agent.store import Store
from bench.remote.job_spec import platform_of, provided_packages, requirements_for, select_formats
from bench.remote.probe import PROBE_REQUEST, BoardProbe
from bench.run.machine_warnings import machine_warnings
from bench.system.host import read_host
from device_profiles.loading import shipped_profiles


def test_a_pi_is_recognised_by_its_files() -> None:
    board = probe_of(pi_4())

    assert board.host.cpu == "Cortex-A72"
    assert board.host.board == "Raspberry Pi 4 Model B Rev 1.5"
    assert board.host.physical_cores == 4
    assert board.host.governor == "ondemand"
    assert board.host.emulated is None
    assert board.state.temperatures == {"cpu-thermal (thermal_zone0)": 48.2}
    assert board.state.throttled_bits == 0x50000
    assert board.state.available_bytes == 3500032 << 10
    assert board.state.swap_used_bytes == 10240 << 10
    # 50 of 200 hundredths of a second: half a second of 4 CPUs
    assert board.state.busy_share == pytest.approx(0.25)
    assert profile_that_is(board.host, shipped_profiles(), "board").name == "raspberry-pi-4"
    assert any("under-voltage" in warning for warning in machine_warnings(board.host, board.state))


def test_the_agent_of_this_machine_describes_it_as_edgefit_does(tmp_path: Path) -> None:
    answer = probe(Store(tmp_path / "store"), **PROBE_REQUEST.model_dump(mode="json", exclude={"request"}))

    board = probe_of({**answer, "programs_above": []})

    assert board.host == read_host().model_copy(update={"emulated": None})
    assert board.facts.disk_free_bytes > 0
    assert "numpy" in board.facts.modules
    assert not (tmp_path / "store").exists()


def test_the_limit_and_the_variables_of_a_board_are_its_own() -> None:
    limited = with_files(
        **{
            "/proc/self/cgroup": "0::/user.slice/session-3.scope\n",
            "/sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
            "/sys/fs/cgroup/user.slice/cpu.stat": "nr_periods 8\nnr_throttled 2\n",
        }
    )

    board = probe_of({**limited, "variables": {"OMP_NUM_THREADS": "1"}})

    assert board.host.may_use == "this container may use 1.5 of 4 CPUs"
    assert (board.state.cpu_periods, board.state.cpu_periods_throttled) == (8, 2)
    assert board.facts.variables == {"OMP_NUM_THREADS": "1"}


def test_the_agent_sends_the_variables_that_decide_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_PROC_BIND", "close")
    answer = probe(Store(tmp_path / "store"), **PROBE_REQUEST.model_dump(mode="json", exclude={"request"}))

    assert answer["variables"]["OMP_PROC_BIND"] == "close"
    assert "PATH" not in answer["variables"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (pi_4(bits=32, architecture="armv7l"), "install the 64-bit edition of the board's system"),
        (pi_4(bits=32), "install the 64-bit edition of the board's system"),
        (pi_4(system="Darwin"), "edgefit measures on boards with Linux"),
        (pi_4(implementation="PyPy"), "the runtimes need the usual CPython"),
        (pi_4(abi_flags="t"), "the runtimes need the usual CPython"),
        (pi_4(libc=None), "the board's C library is not glibc"),
        (pi_4(may_write=False), "this user cannot write /home/pi/.cache/edgefit-board"),
        (
            pi_4(may_execute=False),
            "mounted with noexec; choose another folder with XDG_CACHE_HOME",
        ),
        (
            with_files(**{"/proc/meminfo": "MemTotal: 262144 kB\nMemAvailable: 200000 kB\n"}),
            "has 256 MiB of memory",
        ),
    ],
)
def test_an_unusable_board_says_why(answer: dict[str, Any], reason: str) -> None:
    with pytest.raises(BoardError, match=reason) as error:
        probe_of(answer).refuse_unusable()

    assert error.value.exit_code == 5


def test_an_invalid_answer_is_an_error() -> None:
    with pytest.raises(BoardError, match="the answer of edgefit's agent is not valid"):
        probe_of({"python": "3"})


@pytest.mark.parametrize(
    "path",
    [
        "/../../outside",
        "../outside",
        "outside",
        "",
        "/",
        "/etc/passwd",
        "/proc/stat/below",
        "/proc/stat/",
        "//proc/stat",
        "/proc/STAT",
        "/proc/a\0b",
        "/sys/class/power_supply/../type",
        "/sys/class/power_supply/a/b/type",
        "/sys/class/power_supply/a\0b/type",
        "/sys/fs/cgroup/../../../cpu.max",
        "/cpu.max/../../outside",
        "C:\\outside",
        "/x" * 2000,
    ],
)
def test_a_file_that_was_not_asked_for_is_refused(path: str) -> None:
    with pytest.raises(
        BoardError, match=r"^board: the board sent the file '.*', which edgefit has not asked"
    ):
        _ = probe_of(with_files(**{path: "x"})).host


def test_every_file_that_is_asked_for_is_taken() -> None:
    paths = [pattern.replace("[0-9]", "1").replace("*", "x1") for pattern in PROBE_REQUEST.patterns]
    groups = [f"/sys/fs/cgroup/user.slice/{name}" for name in PROBE_REQUEST.group_files]

    files = {**dict.fromkeys([*paths, *groups], ""), **pi_4()["files"]}

    assert probe_of(pi_4(files=files)).host.board


@pytest.mark.parametrize(
    "changes",
    [
        {"files": {f"/proc/{number}": "" for number in range(20_001)}},
        {"modules": {str(number): "1" for number in range(20_001)}},
        {"programs_above": ["x"] * 20_001},
        {"usable_cpus": list(range(20_001))},
        {"variables": {str(number): "1" for number in range(20_001)}},
        {"files": {"/proc/stat": "x" * ((1 << 17) + 1)}},
        {"os": "x" * 1001},
        {"store": "x" * 5000},
        {"programs_above": ["x" * 5000]},
    ],
    ids=["files", "modules", "programs", "CPUs", "variables", "long file", "os", "store", "long program"],
)
def test_an_answer_that_is_too_large_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BoardError, match=r"^board: the answer of edgefit's agent is not valid") as error:
        probe_of(pi_4(**changes))

    assert len(str(error.value)) < 1000


PATH_TOO_LONG = f"/sys/class/power_supply/{'x' * 300}/type"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (pi_4(usable_cpus=[-1]), "usable_cpus.0: Input should be greater than or equal to 0"),
        (pi_4(python=[3, -1, 0]), "python.1: Input should be greater than or equal to 0"),
        (pi_4(disk_free_bytes=10**400), "disk_free_bytes: "),
        (pi_4(store_bytes=-1), "store_bytes: "),
        (pi_4(vcgencmd={"get_throttled": "throttled=0x" + "f" * 5000}), "vcgencmd.get_throttled: "),
        (pi_4(stat_before="cpu 100 0\n"), r"a file that it sent cannot be read \(list index out of range\)"),
        (pi_4(stat_before="cpu a b c\n"), r"a file that it sent cannot be read \(invalid literal for int"),
        (with_files(**{"/proc/stat": "cpu 1 0 1 1 0 0\n"}), "a file that it sent cannot be read"),
        (with_files(**{"/proc/meminfo": f"MemTotal: {'9' * 5000} kB\n"}), "MemTotal has 5000 digits"),
        (with_files(**{"/proc/vmstat": f"pswpin {'9' * 400}\n"}), "pswpin has 400 digits"),
        (
            with_files(**{"/sys/class/thermal/thermal_zone0/temp": "9" * 400}),
            "a file that it sent cannot be read",
        ),
        (with_files(**{PATH_TOO_LONG: "Battery"}), "cannot be copied to this machine"),
        (
            with_files(**{"/sys/fs/cgroup/cpu.max": "", "/sys/fs/cgroup/cpu.max/cpu.max": ""}),
            "cannot be copied to this machine",
        ),
        (
            with_files(**{"/sys/devices/system/cpu/online": ",".join(["0-65535"] * 10_000)}),
            "online lists more than 65536 CPUs",
        ),
        (pi_4(vcgencmd={"pmic_read_adc": "A_A current(0)=1.2.3A\n"}), "a file that it sent cannot be read"),
    ],
)
def test_an_odd_reading_is_an_error_that_names_the_board(answer: dict[str, Any], reason: str) -> None:
    with pytest.raises(BoardError, match=f"^board: .*{reason}") as error:
        everything_of(probe_of(answer))

    assert error.value.exit_code == 5
    assert "which machine answers at this address" in str(error.value)


def everything_of(board: BoardProbe) -> None:
    """Read what a command reads of a board."""
    board.refuse_unusable()
    json.dumps([board.host.model_dump(), board.state.model_dump()])
    assert board.meter


def test_an_emulated_board_is_recognised() -> None:
    declared = probe_of(pi_4(emulated="qemu-user"))
    above = probe_of(pi_4(programs_above=["/usr/bin/qemu-aarch64-static"]))

    assert declared.host.emulated == "EDGEFIT_EMULATED says qemu-user"
    assert above.host.emulated == "it runs under qemu-aarch64-static"


def test_a_jetson_runs_its_own_runtimes_and_gets_the_rest(bundle_folder: Path) -> None:
    modules = {"onnxruntime": "1.18.0", "numpy": "1.26.1"}
    release = {"/etc/nv_tegra_release": "# R36 (release), REVISION: 4.3"}
    jetson = probe_of({**with_files(**release), "python": [3, 10, 12], "modules": modules})

    selection = select_formats(read_bundle(bundle_folder), (), (), jetson.system_modules)

    assert selection.formats == ("onnx",)
    assert selection.from_system == ("onnx",)
    assert set(selection.excluded) == {"openvino", "torchscript"}
    assert "torch is not installed in the board's Python" in selection.excluded["torchscript"]
    assert provided_packages(jetson) == ("numpy",)
    assert "numpy<2" in requirements_for(selection, has_system_runtimes=True)
    assert platform_of(jetson).python == "3.10"


def test_a_plain_board_gets_every_runtime_but_torch(bundle_folder: Path) -> None:
    bundle, board = read_bundle(bundle_folder), probe_of(pi_4())

    usual = select_formats(bundle, (), (), board.system_modules)
    with_torch = select_formats(bundle, (), ("torchscript",), board.system_modules)

    assert usual.formats == ("onnx", "openvino")
    assert "up to 3 GB" in usual.excluded["torchscript"]
    assert "--with torchscript" in usual.excluded["torchscript"]
    assert set(with_torch.formats) == {"onnx", "openvino", "torchscript"}
    with pytest.raises(MissingRuntimeError, match="torchscript-fp32"):
        select_formats(bundle, ("torchscript-fp32",), (), board.system_modules)


def test_a_device_file_is_not_read() -> None:
    files = probe(Store(Path("/nowhere")), ["/dev/zero", "/proc/version"], [], {}, [], [])["files"]

    assert files["/dev/zero"] == ""
    assert files["/proc/version"].startswith("Linux") or os.uname().sysname != "Linux"
