"""A folder that is not a wheelhouse is refused with the command that fills one."""

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.remote.job_spec import Selection
from bench.remote.wheelhouse import wheels_in
from bench.remote.wheels import Platform

PI = Platform("3.11", "2.36", "aarch64")
ONNX = Selection(("onnx",), (), {})


def test_a_folder_that_is_not_a_wheelhouse_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"edgefit wheelhouse --python 3.11 --glibc 2.36 --machine aarch64"):
        wheels_in(tmp_path, PI, ONNX, has_system_runtimes=False)
