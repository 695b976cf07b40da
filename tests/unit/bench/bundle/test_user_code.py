"""A user's own code that needs a module of a name that edgefit's packages have."""

import importlib

import pytest

import bench
from bench.bundle.user_code import user_code
from bench.errors import InputError

SENTENCE = (
    r"nets:build: uses a module 'bench', and finds edgefit's own package of this name; give yours another"
)


def test_a_module_that_is_only_the_users_is_named() -> None:
    with pytest.raises(InputError, match=SENTENCE), user_code("nets:build"):
        importlib.import_module("bench.blocks")


def test_a_name_that_is_only_in_the_users_module_is_named() -> None:
    with pytest.raises(InputError, match=SENTENCE), user_code("nets:build"):
        exec("from bench import Network")


def test_an_attribute_that_only_the_users_module_has_is_named() -> None:
    with pytest.raises(InputError, match=SENTENCE), user_code("nets:build"):
        bench.build()  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", ["import benches", "(1).blocks", "raise ImportError"])
def test_any_other_error_is_said_as_it_is(code: str) -> None:
    with pytest.raises(InputError, match=r"nets:build: raised .*Error"), user_code("nets:build"):
        exec(code)
