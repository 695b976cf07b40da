"""Which cases a run has, and which of them are alive together."""

from dataclasses import replace
from pathlib import Path

import pytest
from making.tiny_report import HOST, case_of

from bench.bundle.judged_output import CLASSES
from bench.bundle.manifest import read_bundle
from bench.bundle.signature import Signature
from bench.bundle.source_record import SourceKind, SourceRecord
from bench.devices.terms import terms_of, threads_of
from bench.harness.plan import (
    Plan,
    _digest,
    block_samples,
    cases_of,
    controls_of,
    order_of_blocks,
    planned_evaluation,
    split_into_groups,
)
from bench.run_config import RunOptions
from device_profiles.loading import load_profile


def test_every_artifact_is_a_case_on_its_formats_own_provider(bundle_folder: Path) -> None:
    bundle = read_bundle(bundle_folder)

    laptop = load_profile("laptop-cpu")

    cases = cases_of(
        bundle,
        bundle.manifest.artifacts,
        laptop,
        terms_of(laptop, HOST),
        RunOptions(threads=2),
        (0, 1),
        planned_evaluation(bundle, bundle.pack()),
    )

    assert [case.config.provider for case in cases] == ["cpu", "CPUExecutionProvider", "CPU"]
    assert all(one.entry.is_absolute() and one.entry.exists() for one in cases)


def test_only_a_users_own_file_may_leave_axes_open(bundle_folder: Path) -> None:
    bundle, laptop = read_bundle(bundle_folder), load_profile("laptop-cpu")
    manifest = bundle.manifest
    source = SourceRecord(
        kind=SourceKind.OPENVINO,
        name="mine.xml",
        sha256=None,
        variant="openvino-fp32",
        signature=Signature(inputs=(), outputs=()),
        output=CLASSES,
    )
    model = manifest.model.model_copy(update={"source": source})
    own = replace(bundle, manifest=manifest.model_copy(update={"model": model}))

    terms, images = terms_of(laptop, HOST), planned_evaluation(own, bundle.pack())
    cases = cases_of(own, manifest.artifacts, laptop, terms, RunOptions(threads=2), (0, 1), images)

    assert {case.variant for case in cases if case.has_open_axes} == {"openvino-fp32"}


def test_a_group_has_its_part_of_the_seconds_asked_for_or_else_the_profiles() -> None:
    sampling = load_profile("laptop-cpu").sampling.model_copy(
        update={"time_limit_s": 30, "time_limit_each_s": 10}
    )
    planned = Plan(cases=(), controls=(), sampling=sampling)

    assert planned.group_seconds(2, 9) == 30
    assert planned.group_seconds(9, 9) == 90
    assert replace(planned, seconds=45).group_seconds(2, 9) == 10


def test_the_default_gives_two_variants_less_than_a_minute_and_nine_less_than_two() -> None:
    planned = Plan(cases=(), controls=(), sampling=load_profile("laptop-cpu").sampling)

    assert planned.group_seconds(2, 2) <= 45
    assert planned.group_seconds(9, 9) <= 110


def test_a_group_holds_what_fits_into_memory_together() -> None:
    cases = [case_of(name) for name in "abcd"]

    grouped = split_into_groups(cases, {"a": 4, "b": 5, "c": 2, "d": 3}, available_bytes=10)

    assert [[one.variant for one in group] for group in grouped] == [["a", "b"], ["c", "d"]]


def test_a_case_that_does_not_fit_is_tried_alone() -> None:
    grouped = split_into_groups([case_of("a"), case_of("b")], {"a": 50, "b": 1}, available_bytes=10)

    assert [[one.variant for one in group] for group in grouped] == [["a"], ["b"]]


def test_the_laptop_profile_uses_every_physical_core() -> None:
    host = HOST.model_copy(update={"physical_cores": 6, "usable_cpus": 12})
    assert threads_of(load_profile("laptop-cpu"), host, is_device=True) == 6


def test_the_null_runtime_and_the_control_go_along_and_are_not_judged() -> None:
    null, control = controls_of(RunOptions(threads=1), cpus=(0,))

    assert (null.variant, null.format) == ("null", "null")
    assert (control.variant, control.format) == ("control", "onnx")
    assert control.entry.exists()
    assert not null.is_artifact
    assert not control.is_artifact


def test_without_a_runtime_there_is_no_control(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.harness.plan.control_format", lambda: None)

    assert [case.variant for case in controls_of(RunOptions(threads=1), None)] == ["null"]


def test_the_order_of_blocks_is_random_and_the_same_each_time() -> None:
    orders = [order_of_blocks("abcdef", 0, 0, 0, pass_index) for pass_index in range(20)]

    assert all(sorted(order) == list("abcdef") for order in orders)
    assert len({tuple(order) for order in orders}) > 10
    assert orders[3] == order_of_blocks("abcdef", 0, 0, 0, 3)


@pytest.mark.parametrize(("ms", "count"), [(1, 5), (50, 5), (70, 4), (500, 3)])
def test_a_block_of_a_slow_case_has_fewer_samples_but_not_below_three(ms: int, count: int) -> None:
    sampling = load_profile("laptop-cpu").sampling

    assert block_samples(sampling, [ms * 1_000_000] * 15) == count


def test_a_block_of_a_slow_case_may_be_one_inference_where_that_is_asked_for() -> None:
    sampling = load_profile("laptop-cpu").sampling

    assert block_samples(sampling, [500_000_000], minimum=1) == 1
    assert block_samples(sampling, [1_000_000], minimum=1) == sampling.block_samples


def test_the_same_files_loaded_in_another_way_are_not_equal(bundle_folder: Path) -> None:
    artifact = read_bundle(bundle_folder).select(["openvino-fp32"])[0]
    entries = [file.path for file in artifact.files]
    other_entry = artifact.model_copy(
        update={"entry": next(path for path in entries if path != artifact.entry)}
    )
    other_engine = artifact.model_copy(update={"engine": "qnnpack"})

    digests = {_digest(each) for each in (artifact, other_entry, other_engine)}

    assert len(digests) == 3
    assert _digest(artifact) == _digest(artifact.model_copy(update={"seconds": 9.0}))
