"""On which terms a machine is measured: threads, memory, and what its device cannot run."""

import pytest
from making.tiny_report import HOST

from bench.bundle.manifest import ArtifactRecord, FileRecord, VerificationRecord
from bench.bundle.variants import Precision
from bench.devices.matching import ProfileMatch
from bench.devices.terms import (
    MemoryLimit,
    Terms,
    differences,
    fewer_threads,
    incompatible_because,
    run_options,
    terms_of,
    threads_of,
)
from bench.system.cpus import CoreKind
from bench.system.thread_variables import SetVariable
from device_profiles.loading import load_profile
from device_profiles.profile import Profile

MIB = 1 << 20


def terms(threads: int = 1, differs: tuple[str, ...] | None = None) -> Terms:
    match = None if differs is None else ProfileMatch("a-board", True, (), differs, ())
    return Terms(provenance="measured", profile_match=match, threads=threads, memory_limit=None)


def artifact(format_name: str, engine: str | None = None) -> ArtifactRecord:
    verification = VerificationRecord(
        images=1,
        largest_difference=0.0,
        sqnr_db=None,
        agreement=1.0,
        flips=(),
        retention=1.0,
        retention_ci95=(0.9, 1.1),
        mcnemar_p=1.0,
    )
    return ArtifactRecord(
        variant=f"{format_name}-int8",
        format=format_name,
        precision=Precision.INT8,
        entry="model",
        files=(FileRecord(path="model", size_bytes=1, sha256="0" * 64),),
        producer="test",
        verification=verification,
        seconds=0.0,
        engine=engine,
    )


def test_threads_are_a_number_the_devices_cores_or_this_machines() -> None:
    laptop, board = load_profile("laptop-cpu"), load_profile("raspberry-pi-5")

    assert terms_of(laptop, HOST).threads == HOST.physical_cores
    assert terms_of(board, HOST).threads == 4
    assert terms_of(laptop.model_copy(update={"threads": 3}), HOST).threads == 3


@pytest.mark.parametrize(
    ("threads", "usable", "cores", "words"),
    [
        (4, 2, 2, "this machine has 2 usable CPUs; edgefit measures with 2 threads"),
        (4, 4, 2, "this machine has 2 cores; edgefit measures with hyper-threads"),
    ],
)
def test_fewer_cpus_than_threads_are_named(threads: int, usable: int, cores: int, words: str) -> None:
    host = HOST.model_copy(update={"usable_cpus": usable, "physical_cores": cores})

    (sentence,) = fewer_threads(terms(threads), host)

    assert words in sentence
    assert fewer_threads(terms(1), host) == []


def test_a_limit_of_the_container_decides_the_threads_and_is_named() -> None:
    limited = HOST.model_copy(update={"cpu_quota": 1.5, "online_cpus": 2})
    laptop, board = load_profile("laptop-cpu"), load_profile("raspberry-pi-5")

    assert terms_of(laptop, limited).threads == 1
    assert fewer_threads(terms_of(laptop, limited), limited) == []
    assert run_options(terms_of(board, limited), limited).threads == 1
    (sentence,) = fewer_threads(terms_of(board, limited), limited)
    assert sentence.startswith(
        "the profile requests 4 threads, but this container may use 1.5 of 2 CPUs; edgefit measures with 1 "
        "thread, "
    )


def test_a_device_with_slow_cores_gets_threads_for_the_fast_ones() -> None:
    kinds = (CoreKind(name="A76", cores=4, is_fast=True), CoreKind(name="A55", cores=4, is_fast=False))
    rock = HOST.model_copy(update={"physical_cores": 8, "usable_cpus": 8, "cores": kinds})
    board = load_profile("raspberry-pi-5")
    assert board.processor is not None
    cores = board.processor.cores.model_copy(update={"value": 8})
    eight = board.model_copy(update={"processor": board.processor.model_copy(update={"cores": cores})})

    assert terms_of(load_profile("laptop-cpu"), rock).threads == 4
    assert threads_of(eight, rock, is_device=True) == 4
    assert threads_of(eight, rock, is_device=False) == 8


def test_variables_that_are_kept_are_options_of_the_run() -> None:
    variables = (
        SetVariable(name="OMP_PLACES", value="cores", kept=False),
        SetVariable(name="LD_PRELOAD", value="/lib/jemalloc.so", kept=True),
    )

    options = run_options(terms(), HOST, variables)

    assert options.variables == "LD_PRELOAD=/lib/jemalloc.so"
    assert options.label == "1 thread, LD_PRELOAD=/lib/jemalloc.so"


def test_what_differs_from_the_profile_is_named() -> None:
    (sentence,) = differences(terms(differs=("memory", "cores")))

    assert "(memory; cores)" in sentence
    assert differences(terms(differs=())) == []
    assert differences(terms()) == []


def test_a_proxy_may_have_no_more_memory_than_the_device() -> None:
    board = load_profile("raspberry-pi-5")
    assert board.memory is not None
    unknown = board.model_copy(
        update={"memory": board.memory.model_copy(update={"left_free_mb": None})},
    )

    found = terms_of(unknown, HOST)

    assert found.provenance == "proxy"
    assert found.is_another
    assert found.memory_limit_bytes == min(board.memory.sizes_mb.value) * MIB
    assert found.memory_limit is not None
    assert "what its system leaves free is unknown" in found.memory_limit.origin


def test_the_profiles_own_memory_limit_comes_first() -> None:
    capped = load_profile("laptop-cpu").model_copy(update={"memory_cap_mb": 100})

    found = terms_of(capped, HOST)

    assert found.memory_limit == MemoryLimit(100 * MIB, "the profile's memory_cap_mb")
    assert not found.is_another
    assert terms_of(load_profile("laptop-cpu"), HOST).memory_limit_bytes is None


def without(profile: Profile, name: str) -> Profile:
    choice = profile.runtimes[name].model_copy(
        update={"providers": (), "reason": "its wheels need another C library"}
    )
    return profile.model_copy(update={"runtimes": {**profile.runtimes, name: choice}})


def test_a_format_that_the_device_does_not_run_is_named_with_the_reason() -> None:
    board = without(load_profile("raspberry-pi-5"), "openvino")

    assert incompatible_because(artifact("openvino"), board) == (
        "raspberry-pi-5 does not run openvino: its wheels need another C library"
    )
    assert incompatible_because(artifact("onnx"), board) is None


def test_an_engine_of_another_processor_is_named_with_the_remedy() -> None:
    reason = incompatible_because(artifact("torchscript", "x86"), load_profile("raspberry-pi-5"))

    assert reason is not None
    assert "export again with --cpu arm" in reason
    assert incompatible_because(artifact("torchscript", "x86"), load_profile("laptop-cpu")) is None
