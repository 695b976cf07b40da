"""Calibration: every rate on one core and on all, before and after load, and the profile made of them."""

from pathlib import Path

import numpy as np
import pytest
from making.faulty_plan import Silent
from making.tiny_report import HOST
from making.workloads import to_onnx

from bench.devices.calibrated_profile import calibrated, to_file, was_calibrated
from bench.errors import MissingRuntimeError
from bench.harness import calibration
from bench.harness.calibration import Durations, calibrate
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.workloads import IMAGE_SIZE, WORKLOADS, Workload
from device_profiles.facts import Rate
from device_profiles.loading import load_profile, read_profile

BRIEF = Durations(rate_s=0.01, load_s=0.05)
SOURCE = "a test of calibration"
READ_ONNX = [name for name, row in FORMATS.items() if row.reads_onnx]


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
@pytest.mark.parametrize("name", READ_ONNX)
def test_each_workload_runs_in_its_precision_and_is_as_much_as_it_says(name: str, workload: Workload) -> None:
    session = load_runtime(name).load(
        workload.file, LoadOptions(RunConfig(threads=1, provider=FORMATS[name].provider))
    )
    executed = session.executed([np.full((1, 3, IMAGE_SIZE, IMAGE_SIZE), 0.5, dtype=np.float32)])

    assert {operator.precision for operator in executed.operators} == {workload.precision}
    assert sum(operator.macs or 0 for operator in executed.operators) == workload.macs


def test_the_workloads_files_are_what_makes_them_says() -> None:
    for workload in WORKLOADS:
        assert workload.file.read_bytes() == to_onnx(workload).SerializeToString()


def test_without_a_runtime_for_the_workloads_the_error_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibration, "is_installed", lambda _row: False)

    with pytest.raises(MissingRuntimeError, match=r"pip install .*\[onnx\]' or pip install"):
        calibrate(SOURCE, False, Silent(), BRIEF)


RATES = (Rate(operation="copy", value=3.0, kind="measured", source=SOURCE),)


def test_a_machine_that_none_describes_gets_a_profile_by_which_it_is_known(tmp_path: Path) -> None:
    content = calibrated("mine", HOST, 4 << 30, None, None, "2026-01-01").with_rates(RATES)
    (tmp_path / "mine.yaml").write_text(to_file(content))

    profile = read_profile(tmp_path / "mine.yaml")

    assert profile.match is not None
    assert profile.match.cpu == ("Test CPU",)
    assert profile.processor is not None
    assert (profile.processor.family, profile.processor.cores.value) == ("x86-avx2", 2)
    assert profile.memory is not None
    assert profile.memory.sizes_mb.value == (8192,)
    assert profile.rates == RATES


@pytest.mark.parametrize("seen_mib", [7_900, 15_900])
def test_a_known_board_keeps_what_is_known_of_it_besides_what_was_measured(
    seen_mib: int, tmp_path: Path
) -> None:
    known = load_profile("raspberry-pi-5")
    board = HOST.model_copy(
        update={
            "board": "Raspberry Pi 5 Model B Rev 1.0",
            "architecture": "aarch64",
            "cpu": "Cortex-A76",
            "cpu_features": ("asimd", "asimddp", "asimdhp"),
            "memory_bytes": seen_mib << 20,
        }
    )
    made = calibrated("desk-pi", board, (seen_mib - 300) << 20, 2_400_000, known, "2026-01-01")
    (tmp_path / "desk-pi.yaml").write_text(to_file(made.with_rates(RATES)))

    profile = read_profile(tmp_path / "desk-pi.yaml")

    assert profile.match == known.match
    assert profile.published == known.published
    assert profile.rates == (*RATES, *known.rates)
    assert profile.memory is not None
    assert profile.memory.sizes_mb.value == (8192 if seen_mib < 8192 else 16384,)
    assert profile.memory.left_free_mb.value == seen_mib - 300  # type: ignore[union-attr]
    assert profile.processor is not None
    assert profile.processor.clock_mhz.kind == "measured"  # type: ignore[union-attr]


def test_only_what_calibration_wrote_is_known_as_its_own() -> None:
    emulated = HOST.model_copy(update={"emulated": "it runs under qemu"})
    written = to_file(calibrated("mine", emulated, 4 << 30, None, None, "2026-01-01").with_rates(RATES))

    assert was_calibrated(written.encode())
    # A figure that was copied from a calibration makes a file of one's own no calibration.
    assert not was_calibrated(written.partition("\n")[2].encode())
