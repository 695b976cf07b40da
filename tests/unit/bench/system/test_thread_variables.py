"""Variables that decide threads and kernels: which a worker gets, and how they are recorded."""

import os

import pytest

from bench.system.thread_variables import (
    INHERITED,
    PREFIXES,
    kept_assignments,
    kept_environment,
    sentence_on_cleared,
    set_variables,
    withheld,
    without_thread_variables,
)

SHELL = {
    "PATH": "/bin",
    "OMP_THREAD_LIMIT": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "LD_PRELOAD": "/lib/a b.so",
}


@pytest.mark.parametrize(
    "name",
    [
        *("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_PROC_BIND", "OMP_PLACES", "OMP_DYNAMIC"),
        *("OMP_WAIT_POLICY", "GOMP_CPU_AFFINITY", "GOMP_SPINCOUNT", "KMP_AFFINITY", "KMP_BLOCKTIME"),
        *("OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_NUM_THREADS", "MKL_ENABLE_INSTRUCTIONS"),
        *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"),
        *("ATEN_CPU_CAPABILITY", "NVIDIA_TF32_OVERRIDE", "ORT_TENSORRT_FP16_ENABLE", "OV_CPU_CAPABILITIES"),
    ],
)
def test_a_worker_does_not_get_what_decides_threads_or_kernels(name: str) -> None:
    environment = {name: "1", "PATH": "/bin"}

    assert without_thread_variables(environment) == {"PATH": "/bin"}
    assert [variable.kept for variable in set_variables(environment)] == [False]


@pytest.mark.parametrize("name", ["LD_PRELOAD", "GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_CONF"])
def test_a_worker_gets_the_allocator_of_the_user_which_is_recorded(name: str) -> None:
    assert without_thread_variables({name: "x"}) == {name: "x"}
    assert [variable.kept for variable in set_variables({name: "x"})] == [True]


@pytest.mark.parametrize("name", ["PATH", "HOME", "TORCH_HOME", "LD_LIBRARY_PATH", "COMP", "OMPI_COMM_RANK"])
def test_other_variables_are_neither_cleared_nor_recorded(name: str) -> None:
    assert without_thread_variables({name: "x"}) == {name: "x"}
    assert set_variables({name: "x"}) == ()


def test_what_scikit_learn_sets_is_not_taken_for_the_users() -> None:
    environment = {"KMP_DUPLICATE_LIB_OK": "True", "KMP_INIT_AT_FORK": "FALSE"}

    assert set_variables(environment) == ()
    assert without_thread_variables(environment) == environment


def test_what_is_kept_reaches_the_worker_as_it_was() -> None:
    assert kept_environment(kept_assignments(set_variables(SHELL))) == {"LD_PRELOAD": "/lib/a b.so"}
    all_kept = kept_environment(kept_assignments(set_variables(SHELL, keep=True)))
    assert all_kept == {name: value for name, value in SHELL.items() if name != "PATH"}
    assert kept_environment(kept_assignments(())) == {}


def test_what_is_cleared_is_said_with_the_option_that_keeps_it() -> None:
    sentence = sentence_on_cleared(set_variables(SHELL))

    assert sentence is not None
    assert "OMP_THREAD_LIMIT=1" in sentence
    assert "--keep-environment" in sentence
    assert "LD_PRELOAD" not in sentence
    assert sentence_on_cleared(set_variables(SHELL, keep=True)) is None


def test_a_variable_that_is_withheld_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_PROC_BIND", "close")
    monkeypatch.delenv("KMP_AFFINITY", raising=False)

    with withheld(("KMP_AFFINITY", "OMP_PROC_BIND")) as names:
        assert "OMP_PROC_BIND" not in os.environ

    assert names == ["OMP_PROC_BIND"]
    assert os.environ["OMP_PROC_BIND"] == "close"
    assert "KMP_AFFINITY" not in os.environ


def test_an_empty_variable_sets_nothing() -> None:
    assert set_variables({"LD_PRELOAD": "", "OMP_NUM_THREADS": ""}) == ()


def test_each_variable_has_its_reason_and_one_treatment() -> None:
    assert all(reason for reason in (*PREFIXES.values(), *INHERITED.values()))
    assert not PREFIXES.keys() & INHERITED.keys()
