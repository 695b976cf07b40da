"""Which of torch's quantised engines fits which CPU."""

from pathlib import Path

import pytest

from bench.bundle.cpu_class import PORTABLE, TARGETS
from bench.errors import MissingRuntimeError
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.quantised_engines import (
    ENGINES,
    choose_engine,
    engine_for,
    engine_incompatibility,
    portable_engine,
)

VNNI = frozenset({"avx2", "avx512_vnni"})
NO_VNNI = frozenset({"avx2"})


def test_each_x86_cpu_has_its_engine() -> None:
    assert choose_engine("x86_64", VNNI) == "onednn"
    assert choose_engine("x86_64", NO_VNNI) == "x86"


def test_every_engine_is_that_of_a_target_and_a_portable_file_needs_none() -> None:
    assert {engine_for(cpu) for cpu in TARGETS} == {None, *ENGINES}
    assert engine_for(PORTABLE) is None
    assert (portable_engine("x86_64"), portable_engine("aarch64")) == ("x86", "qnnpack")
    assert portable_engine("riscv64") is None


def test_arm_has_its_own_engine_and_what_is_unknown_none() -> None:
    assert choose_engine("aarch64", frozenset()) == "qnnpack"
    assert choose_engine("riscv64", frozenset()) is None


@pytest.mark.parametrize(
    ("engine", "machine", "flags", "words"),
    [
        ("qnnpack", "x86_64", VNNI, "made for Arm"),
        ("onednn", "aarch64", frozenset[str](), "made for x86"),
        ("onednn", "x86_64", NO_VNNI, "saturate"),
        ("fbgemm", "x86_64", VNNI, "does not know"),
    ],
)
def test_a_wrong_pairing_is_refused_with_its_reason(
    engine: str, machine: str, flags: frozenset[str], words: str
) -> None:
    assert words in (engine_incompatibility(engine, machine, flags) or "")


def test_an_engine_without_vnni_runs_on_every_x86_cpu() -> None:
    assert engine_incompatibility("x86", "AMD64", VNNI) is None


def test_a_foreign_engine_is_verified_unless_it_saturates() -> None:
    assert engine_incompatibility("qnnpack", "x86_64", NO_VNNI, foreign=True) is None
    assert "saturate" in (engine_incompatibility("onednn", "x86_64", NO_VNNI, foreign=True) or "")


def test_the_runtime_refuses_a_wrong_pairing_before_it_loads(tmp_path: Path) -> None:
    options = LoadOptions(RunConfig(threads=1, provider="cpu"), engine="fbgemm")

    with pytest.raises(MissingRuntimeError, match="export the bundle again"):
        load_runtime("torchscript").load(tmp_path / "none.pt", options)
