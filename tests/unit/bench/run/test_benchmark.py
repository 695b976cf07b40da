"""What is refused before a run starts any worker."""

from pathlib import Path
from typing import Any

import pytest
from making.faulty_plan import SHORT, Silent

from bench.bundle.manifest import Bundle, read_bundle
from bench.errors import InputError, MissingRuntimeError
from bench.report.schema import Report
from bench.run.benchmark import benchmark
from bench.run.request import BenchmarkRequest
from bench.runtimes.formats import FORMATS, FormatRow
from device_profiles.profile import Profile
from device_profiles.settings import Budget

PROFILE = Profile(
    name="test",
    description="a test",
    device="this-machine",
    threads=1,
    sampling=SHORT,
    quick=SHORT,
    budget=Budget(source="no limits, for tests"),
)


@pytest.fixture(autouse=True)
def _short_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.harness.calibration._SHORT_RATE_S", 0.05)


def run(bundle: Bundle, profile: Profile = PROFILE, **options: Any) -> Report:
    return benchmark(bundle, profile, BenchmarkRequest(**options, tool="0", created="now"), Silent())


def test_naming_a_variant_whose_runtime_is_missing_is_an_error(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        FORMATS, "openvino", FormatRow("bench.runtimes.run_openvino", "no_such", "openvino", ("CPU",))
    )

    with pytest.raises(MissingRuntimeError, match=r"openvino-fp32: .*pip install 'edgefit\[openvino\]'"):
        run(read_bundle(bundle_folder), only=("openvino-fp32",))


def test_an_unknown_variant_is_refused_before_anything_runs(bundle_folder: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'onnx-fp32'"):
        run(read_bundle(bundle_folder), only=("onnx-fp23",))
