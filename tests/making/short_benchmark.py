"""Short benchmarks of a bundle on this machine, whose figures are of no interest."""

from typing import Any

import pytest

from bench.bundle.manifest import Bundle
from bench.report.schema import Report
from bench.run.benchmark import benchmark
from bench.run.request import BenchmarkRequest
from device_profiles.profile import Profile
from device_profiles.settings import Budget
from making.faulty_plan import SHORT, Silent

PROFILE = Profile(
    name="test",
    description="a test",
    device="this-machine",
    threads=1,
    sampling=SHORT,
    quick=SHORT,
    budget=Budget(source="no limits, for tests"),
)


def measure_no_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a benchmark measure artifacts and no control."""
    monkeypatch.setattr("bench.run.benchmark.controls_of", lambda *_arguments: ())


def run(bundle: Bundle, profile: Profile = PROFILE, **options: Any) -> Report:
    """Measure a bundle with these options of the request."""
    return benchmark(bundle, profile, BenchmarkRequest(**options, tool="0", created="now"), Silent())
