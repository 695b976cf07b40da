"""Which cases a run has, and which of them are alive together."""

from pathlib import Path

from bench.bundle import read_bundle
from bench.harness.plan import Case, cases_of, threads_of, waves
from device_profiles.profile import load_profile


def case(variant: str) -> Case:
    return Case(variant, "onnx", Path("m"), None, "cpu", 1, None, 32, 1)


def test_every_artifact_is_a_case_on_its_formats_own_provider(bundle_folder: Path) -> None:
    bundle = read_bundle(bundle_folder)

    cases = cases_of(bundle, bundle.manifest.artifacts, threads=2, cpus=(0, 1))

    assert [one.provider for one in cases] == ["cpu", "CPUExecutionProvider", "CPU"]
    assert all(one.entry.is_absolute() and one.entry.exists() for one in cases)


def test_a_wave_holds_what_fits_into_memory_together() -> None:
    cases = [case(name) for name in "abcd"]

    parted = waves(cases, {"a": 4, "b": 5, "c": 2, "d": 3}, available_bytes=10)

    assert [[one.variant for one in wave] for wave in parted] == [["a", "b"], ["c", "d"]]


def test_a_case_that_does_not_fit_is_tried_alone() -> None:
    parted = waves([case("a"), case("b")], {"a": 50, "b": 1}, available_bytes=10)

    assert [[one.variant for one in wave] for wave in parted] == [["a"], ["b"]]


def test_the_laptop_profile_uses_every_physical_core() -> None:
    assert threads_of(load_profile("laptop-cpu"), physical_cores=6) == 6
