"""Which device a machine is, by what agrees; what is nearest if it is none; and whether it is emulated."""

from pathlib import Path

import pytest
from making.recorded_files import write_files
from making.tiny_report import CALM, HOST

from bench.bundle.manifest import read_bundle
from bench.devices.matching import detect, profile_match
from bench.devices.telemetry import missing_telemetry
from bench.devices.terms import incompatible_because, terms_of
from bench.system.cpus import cpu_name, read_cpus
from bench.system.emulation import emulator_of
from bench.system.host import Host, read_host
from device_profiles.loading import load_profile, shipped_profiles

PROFILES = shipped_profiles()
PI_5 = HOST.model_copy(
    update={
        "cpu": "Cortex-A76",
        "board": "Raspberry Pi 5 Model B Rev 1.0",
        "architecture": "aarch64",
        "physical_cores": 4,
        "usable_cpus": 4,
        "cpu_features": ("asimd", "asimddp", "asimdhp"),
        "memory_bytes": 8_060 << 20,
    }
)


def test_a_board_is_known_by_its_model_and_everything_else_agrees() -> None:
    found = detect(PI_5, PROFILES)

    assert [match.profile for match in found.matches] == ["raspberry-pi-5"]
    assert found.matches[0].differs == ()
    assert found.nearest is None


@pytest.mark.parametrize(
    ("board", "profile"),
    [
        ("Raspberry Pi 4 Model B Rev 1.5", "raspberry-pi-4"),
        ("Raspberry Pi Compute Module 4 Rev 1.0", "raspberry-pi-4"),
        ("Raspberry Pi 500 Rev 1.0", "raspberry-pi-5"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "raspberry-pi-zero-2w"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "raspberry-pi-3b-plus"),
        ("NVIDIA Jetson Nano Developer Kit", "jetson-nano"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super", "jetson-orin-nano"),
        ("NVIDIA Orin Nano Developer Kit", "jetson-orin-nano"),
        ("NVIDIA Jetson AGX Orin Developer Kit", "jetson-agx-orin"),
    ],
)
def test_each_board_says_what_it_is(board: str, profile: str) -> None:
    host = PI_5.model_copy(update={"board": board})

    assert [match.profile for match in detect(host, PROFILES).matches] == [profile]


def test_a_laptop_is_known_by_its_cpu() -> None:
    host = HOST.model_copy(update={"cpu": "11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz"})

    assert detect(host, PROFILES).matches[0].profile == "laptop-i7-1185g7"


def test_an_unknown_machines_nearest_profile_is_named() -> None:
    host = PI_5.model_copy(update={"board": "Radxa ROCK 5B", "memory_bytes": 15_900 << 20})

    found = detect(host, PROFILES)

    assert found.matches == ()
    assert found.nearest is not None
    assert found.nearest.profile == "raspberry-pi-5"
    assert len(found.nearest.differs) == 1
    assert found.nearest.differs[0].startswith(
        "board model: 'Radxa ROCK 5B', not 'Raspberry Pi 5 Model B' or"
    )


def test_a_board_that_is_one_and_yet_differs_says_in_what() -> None:
    found = profile_match(PI_5.model_copy(update={"physical_cores": 2}), load_profile("raspberry-pi-5"))

    assert found.is_device
    assert found.differs == ("cores: 2, not 4",)


def test_on_the_device_itself_a_run_is_measured_and_elsewhere_a_proxy() -> None:
    profile = load_profile("raspberry-pi-5")

    assert terms_of(profile, PI_5).provenance == "measured"
    assert terms_of(profile, PI_5).memory_limit_bytes is None
    assert terms_of(profile, HOST).provenance == "proxy"
    assert terms_of(profile, HOST).threads == 4
    assert terms_of(load_profile("laptop-cpu"), HOST).provenance == "measured"


@pytest.mark.parametrize("name", ["raspberry-pi-5", "laptop-cpu"])
def test_an_emulated_machine_only_stands_in(name: str) -> None:
    emulated = PI_5.model_copy(update={"emulated": "it runs under qemu-aarch64"})

    assert terms_of(load_profile(name), emulated).provenance == "proxy"


def test_an_unsupported_device_always_has_a_proxy() -> None:
    nano = PI_5.model_copy(update={"board": "NVIDIA Jetson Nano Developer Kit"})

    assert terms_of(load_profile("jetson-nano"), nano).provenance == "proxy"


def test_a_proxy_has_the_memory_that_the_device_leaves_free_or_all_there_is() -> None:
    assert terms_of(load_profile("raspberry-pi-zero-2w"), HOST).memory_limit_bytes == 267 << 20
    assert terms_of(load_profile("raspberry-pi-5"), HOST).memory_limit_bytes == 1024 << 20


def test_int8_torchscript_for_x86_and_arm_are_incompatible(bundle_folder: Path) -> None:
    made = read_bundle(bundle_folder).select(["torchscript-fp32"])[0]
    for_x86, for_arm = (made.model_copy(update={"engine": engine}) for engine in ("onednn", "qnnpack"))

    assert "made for x86" in str(incompatible_because(for_x86, load_profile("raspberry-pi-5")))
    assert incompatible_because(for_arm, load_profile("raspberry-pi-5")) is None
    assert "made for Arm" in str(incompatible_because(for_arm, load_profile("laptop-i7-1185g7")))
    assert incompatible_because(for_x86, load_profile("laptop-i7-1185g7")) is None


@pytest.mark.parametrize(
    ("board", "reported", "programs", "words"),
    [
        (None, "qemu-user", [], "EDGEFIT_EMULATED says qemu-user"),
        ("Raspberry Pi 4 Model B Rev 1.5 (emulated)", None, [], "the board model is"),
        (
            "Raspberry Pi 4 Model B",
            None,
            ["sshd", "/usr/bin/qemu-aarch64-static"],
            "under qemu-aarch64-static",
        ),
    ],
)
def test_what_tells_that_a_machine_is_emulated_is_named(
    board: str | None, reported: str | None, programs: list[str], words: str
) -> None:
    assert words in str(emulator_of(board, reported, programs))


def test_a_real_board_is_not_emulated_and_neither_is_this_machine() -> None:
    assert emulator_of("Raspberry Pi 4 Model B Rev 1.5", None, ["/usr/sbin/sshd", "-bash"]) is None
    assert read_host().emulated is None


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("Features : asimd asimddp\nCPU implementer : 0x41\nCPU part : 0xd0b\n", "Cortex-A76"),
        ("CPU implementer : 0x41\nCPU part : 0xfff\n", None),
        ("CPU implementer : 0x51\nCPU part : 0xd0b\n", None),
        ("model name : AMD EPYC\nflags : avx2\n", "AMD EPYC"),
        ("model name : ARMv8 Processor\nCPU implementer : 0x41\nCPU part : 0xd42\n", "Cortex-A78AE"),
    ],
)  # fmt: skip
def test_an_arm_core_is_named_by_its_part(cpuinfo: str, name: str | None, tmp_path: Path) -> None:
    root = write_files(tmp_path, {"proc/cpuinfo": cpuinfo})

    assert cpu_name(cpuinfo, read_cpus((0,), root)) == name


def test_what_a_device_should_tell_and_does_not_is_named_with_a_remedy() -> None:
    readings = load_profile("raspberry-pi-5").readings
    assert readings is not None

    assert missing_telemetry(readings, CALM, clock_khz=2_400_000) == []
    silent = CALM.model_copy(update={"throttled_bits": None, "temperatures": {}})
    found = missing_telemetry(readings, silent, clock_khz=None)
    assert len(found) == 3
    assert "install raspi-utils" in found[2]


def test_recorded_hosts_of_before_load_without_the_new_key() -> None:
    before = HOST.model_dump(exclude={"emulated"})

    assert Host.model_validate(before).emulated is None
