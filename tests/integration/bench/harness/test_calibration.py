"""Calibration: every rate on one core and on all, before and after load."""

from pathlib import Path

import pytest
from making.faulty_plan import Silent

from bench.errors import CalibrationError
from bench.harness import calibration
from bench.harness.calibration import Durations, calibrate, measure_rates
from bench.run_config import RunOptions
from bench.runtimes.formats import FORMATS
from bench.runtimes.workloads import WORKLOADS
from bench.system.cpus import cpus_here

BRIEF = Durations(rate_s=0.01, load_s=0.05)
SOURCE = "a test of calibration"
READ_ONNX = [name for name, row in FORMATS.items() if row.reads_onnx]


def test_every_rate_is_taken_on_one_core_and_on_all_at_rest_and_after_load() -> None:
    rates = calibrate(SOURCE, False, Silent(), BRIEF)

    places = {(rate.operation, rate.precision, rate.cores, rate.after_load_s) for rate in rates}
    operations = {(one.operation, one.precision) for one in WORKLOADS} | {("copy", None)}
    counts = {1, cpus_here().threads}
    assert places == {(*one, cores, load) for one in operations for cores in counts for load in (0, 0.05)}
    assert not any(rate.emulated for rate in rates)
    assert all(rate.kind == "measured" and rate.source == SOURCE and rate.value > 0 for rate in rates)


def test_a_proxies_rates_are_those_of_each_runtime_with_its_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibration, "_SHORT_RATE_S", 0.05)
    rates = measure_rates(["torchscript", *READ_ONNX], RunOptions(threads=1), SOURCE, Silent())

    found = {(rate.operation, rate.precision, (rate.runtime or "").partition(" ")[0]) for rate in rates}
    assert found == {
        ("convolution", "fp32", "onnxruntime"),
        ("convolution", "int8", "onnxruntime"),
        ("convolution", "fp32", "openvino"),
        ("convolution", "int8", "openvino"),
        ("copy", None, ""),
    }


def test_a_workload_that_fails_is_one_sentence_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bench.runtimes.workloads._FOLDER", tmp_path)

    with pytest.raises(CalibrationError, match=r"^convolution-fp32 in \w+: .*convolution-fp32\.onnx.*$"):
        calibrate(SOURCE, False, Silent(), BRIEF)


def test_an_emulated_machines_rates_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "WORKLOADS", WORKLOADS[:1])
    monkeypatch.setattr(calibration, "FORMATS", {"onnx": FORMATS["onnx"]})
    rates = calibrate(SOURCE, True, Silent(), BRIEF)

    assert all(rate.emulated for rate in rates)
