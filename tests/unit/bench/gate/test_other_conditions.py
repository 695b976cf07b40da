"""Two reports whose conditions differ are compared as far as they can be, and the sentences say how far."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from making.checks import checked
from making.compared_report import Row, bundle, made_report
from making.networks import network
from making.repository import ROOT
from making.tiny_report import HOST

from bench.errors import InputError
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.headline import headline
from bench.measurements import Completed
from bench.report.files import read_report, to_json
from bench.report.schema import Report
from bench.system.cpus import CoreKind

SCHEMA_1 = ROOT / "tests" / "data" / "schema1"
ROW = Row(10)


def report(row: Row = ROW, **changes: object) -> Report:
    return made_report({"onnx-int8": row}, **changes)  # type: ignore[arg-type]


def on_host(row: Row = ROW, **changes: object) -> Report:
    return report(row, host=HOST.model_copy(update=changes))


def on_runtime(runtime: str) -> Report:
    made = report()
    runs = tuple(
        run.model_copy(update={"outcome": run.outcome.model_copy(update={"runtime": runtime})})
        if run.is_variant
        else run
        for run in made.runs
    )
    return made.model_copy(update={"runs": runs})


def with_option(name: str, value: object) -> Report:
    made = report()
    runs = tuple(
        run.model_copy(update={"config": run.config.model_copy(update={name: value})}) for run in made.runs
    )
    return made.model_copy(update={"runs": runs})


def finding(found: Checked, quantity: Quantity) -> Finding:
    return next(each for each in found.findings if each.quantity is quantity)


def incomparable(found: Checked) -> set[str]:
    return {each.quantity.value for each in found.findings if each.verdict is Verdict.INCOMPARABLE}


@pytest.mark.parametrize(
    ("candidate", "without"),
    [
        (on_host(cpu="Another CPU"), {"latency"}),
        (on_host(physical_cores=8, usable_cpus=16), {"latency"}),
        (on_host(governor="powersave"), {"latency"}),
        (on_host(cpu_quota=0.5), {"latency"}),
        (with_option("variables", "ONEDNN_MAX_CPU_ISA=AVX2"), {"latency", "memory"}),
        (on_host(board="Raspberry Pi 5"), {"latency"}),
        (report(provenance="proxy"), {"latency"}),
        (report(profile="raspberry-pi-5"), {"latency"}),
        (on_host(architecture="aarch64"), {"latency", "memory"}),
        (on_host(emulated="QEMU"), {"latency", "memory"}),
        (on_runtime("test 2"), {"latency", "memory"}),
        (with_option("threads", 4), {"latency", "memory"}),
        (report(replace(ROW, provider="cuda")), {"latency", "memory"}),
        (report(bundle=bundle(pack_sha256="f" * 64)), {"accuracy"}),
        (report(bundle=bundle(image_size=64)), {"accuracy"}),
        (on_host(os="Another OS", python="3.13", kernel="9"), set()),
    ],
)
def test_only_what_depends_on_a_condition_is_incomparable(candidate: Report, without: set[str]) -> None:
    found = checked(candidate, report())

    assert incomparable(found) == without
    assert {each.verdict for each in found.findings} <= {Verdict.INCOMPARABLE, Verdict.SAME}
    assert found.exit_code == (12 if "latency" in without else 0)


def test_the_headline_says_what_was_compared_on_another_cpu() -> None:
    names = ("onnx-fp32", "onnx-fp16", "onnx-int8")
    other = HOST.model_copy(update={"cpu": "Another CPU", "physical_cores": 8})
    found = checked(
        made_report(dict.fromkeys(names, ROW), host=other), made_report(dict.fromkeys(names, ROW))
    )

    assert headline(found) == (
        "PARTLY COMPARED: memory, size and accuracy of 3 variants, none worse; no latency (CPU and cores "
        "differ). Check the two bundles, or accept exit code 12."
    )


def test_a_loss_on_another_cpu_blocks() -> None:
    found = checked(on_host(replace(ROW, wrong=40), cpu="Another CPU"), report())

    assert found.exit_code == 10
    assert headline(found).startswith("BLOCKED: onnx-int8 has 96.0 % accuracy, was 100.0 % (95 % interval ")
    assert "limit 0.99); no latency compared. " in headline(found)


@pytest.mark.parametrize(
    ("features", "verdict", "sentence"),
    [
        (HOST.cpu_features, Verdict.WORSE, "; on another CPU, with the same instruction sets, runtime and "),
        (("avx512f",), Verdict.UNDECIDED, "; the CPUs have other instruction sets (avx2, avx512f), by which"),
    ],
)
def test_more_memory_on_another_cpu_is_worse_only_with_the_same_instruction_sets(
    features: tuple[str, ...], verdict: Verdict, sentence: str
) -> None:
    found = checked(on_host(replace(ROW, mib=120), cpu="Another CPU", cpu_features=features), report())

    memory = finding(found, Quantity.MEMORY)
    assert memory.verdict is verdict
    assert sentence in memory.sentence


def test_peaks_that_were_read_in_two_ways_are_not_compared() -> None:
    made = report()
    (run, control) = made.runs
    assert isinstance(run.outcome, Completed)
    memory = run.outcome.memory.model_copy(update={"peak_bytes": None})
    outcome = run.outcome.model_copy(update={"memory": memory})
    other = made.model_copy(update={"runs": (run.model_copy(update={"outcome": outcome}), control)})

    assert incomparable(checked(other, made)) == {"memory"}


def test_bundles_whose_inferences_take_several_images_have_other_latencies() -> None:
    from making.source_bundle import KINDS
    from making.source_report import source_report

    from bench.bundle.signature import Tensor
    from bench.bundle.source_record import SourceKind

    made = source_report(KINDS["three classes"])
    assert made.bundle is not None
    assert made.bundle.source in set(SourceKind)
    four = Tensor(name="image", dtype="float32", shape=(4, 3, 8, 8))
    other = made.model_copy(update={"bundle": made.bundle.model_copy(update={"inputs": (four,)})})
    found = checked(other, made)

    assert {"latency", "memory"} <= incomparable(found)
    assert "images in one inference '4', was '1'" in finding(found, Quantity.LATENCY).sentence
    assert finding(found, Quantity.ACCURACY).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("candidate", "note"),
    [
        (on_host(os="Another OS"), "another system: operating system 'Another OS', was 'Test OS'"),
        (
            on_host(cpu_features=("avx2", "avx512f")),
            "the CPUs have other instruction sets (avx512f), so",
        ),
        (report(bundle=bundle(image_size=64)), "another input: 64×64, was "),
        (report(tool="0.2.0"), "the baseline's report is from an older edgefit: 0.1.0, schema 2; the "),
        (report(tool="0.0.9"), "the baseline's report is from a newer edgefit: 0.1.0, schema 2; the "),
        (report(tool="mine"), "the baseline's report is from another edgefit: 0.1.0, schema 2; the "),
    ],
)
def test_what_differs_and_leaves_numbers_comparable_is_a_note(candidate: Report, note: str) -> None:
    found = checked(candidate, report(tool="0.1.0"))

    assert any(each.startswith(note) for each in found.notes)
    assert found.exit_code == 0


def test_a_report_of_schema_1_is_compared_with_one_of_schema_2(tmp_path: Path) -> None:
    old = read_report(SCHEMA_1 / "report.json")
    new = old.model_copy(update={"converted_from": None})
    (tmp_path / "new.json").write_text(to_json(new))

    found = checked(read_report(tmp_path / "new.json"), old)
    back = checked(old, new)

    assert found.notes[0] == (
        "the baseline's report is from an older edgefit: 0.1.0, schema 1; the candidate's is from 0.1.0, "
        "schema 2"
    )
    assert back.notes[0].startswith("the baseline's report is from a newer edgefit: 0.1.0, schema 2; ")
    assert {each.verdict for each in found.findings if each.quantity is Quantity.SIZE} == {Verdict.SAME}
    assert {each.verdict for each in found.findings if each.quantity is Quantity.ACCURACY} == {Verdict.SAME}


def test_a_proxy_of_schema_1_is_compared_with_a_measurement_in_all_but_latency() -> None:
    measured, proxy = (read_report(SCHEMA_1 / name) for name in ("report.json", "report-proxy.json"))

    found = checked(proxy, measured)

    case = {each.quantity.value: each for each in found.findings if each.case == "onnx-int8"}
    assert case["latency"].verdict is Verdict.INCOMPARABLE
    assert "provenance 'proxy', was 'measured'" in case["latency"].sentence
    assert case["size"].verdict is Verdict.SAME


def written(folder: Path, changes: Mapping[str, object]) -> Path:
    path = folder / "changed.json"
    path.write_text(json.dumps(json.loads(to_json(report())) | changes))
    return path


def test_a_report_of_a_newer_schema_is_one_sentence(tmp_path: Path) -> None:
    path = written(tmp_path, {"schema": 3, "tool": "0.3.0", "runs": "another shape"})

    with pytest.raises(InputError) as error:
        read_report(path)

    assert str(error.value) == (
        f"{path} was written by a newer edgefit (0.3.0, schema 3; this one reads up to 2); "
        "update edgefit: pip install --upgrade edgefit; or measure again"
    )


def test_a_key_that_is_unknown_may_be_of_a_newer_edgefit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown key 'surprise'.*a newer edgefit wrote it \(0\.3\.0"):
        read_report(written(tmp_path, {"tool": "0.3.0", "surprise": 1}))


def test_a_limit_of_the_container_is_named_and_one_that_limits_nothing_is_none() -> None:
    found = checked(on_host(cpu_quota=0.5, online_cpus=8), on_host(online_cpus=8))

    assert "limit on CPUs '0.5', was none" in finding(found, Quantity.LATENCY).sentence
    assert incomparable(checked(on_host(cpu_quota=float(HOST.usable_cpus)), report())) == set()


def test_a_limit_is_not_compared_with_an_older_report_that_recorded_none() -> None:
    found = checked(on_host(cpu_quota=0.5, online_cpus=8), report())

    assert "limit on CPUs '0.5', was 'not recorded'" in finding(found, Quantity.LATENCY).sentence
    assert incomparable(checked(on_host(online_cpus=8), report())) == set()


def test_slow_cores_are_not_compared_with_the_fast_ones_of_the_same_cpu() -> None:
    fast, slow = (
        on_host(cores=(CoreKind(name=name, cores=2, is_fast=True),)) for name in ("Cortex-A76", "Cortex-A55")
    )

    found = finding(checked(slow, fast), Quantity.LATENCY)

    assert found.verdict is Verdict.INCOMPARABLE
    assert "kinds of cores '2× Cortex-A55', was '2× Cortex-A76'" in found.sentence
    # Older reports do not list their cores.
    assert incomparable(checked(slow, report())) == incomparable(checked(report(), slow)) == set()


def test_two_networks_of_one_run_are_compared_on_the_images_that_both_answered() -> None:
    """The packs of two networks differ in the answers of the fp32 networks; their images are the same."""
    large = network("large", {"onnx-int8": Row(10)}, sources="a" * 64)
    small = network("small", {"onnx-int8": Row(10, wrong=100)}, sources="a" * 64)
    resized = network(
        "small",
        {"onnx-int8": Row(10, wrong=100)},
        samples="8" * 64,
        sources="a" * 64,
        bundle={"image_size": 64},
    )
    others = network("small", {"onnx-int8": Row(10, wrong=100)}, samples="8" * 64)

    for candidate in (small, resized):
        found = checked(candidate, large)
        assert finding(found, Quantity.ACCURACY).verdict is Verdict.WORSE
        assert any("are of one run" in note for note in found.notes)
    assert finding(checked(others, large), Quantity.ACCURACY).verdict is Verdict.INCOMPARABLE
    alone = checked(report(), report())
    assert any("measured at different times" in note for note in alone.notes)
