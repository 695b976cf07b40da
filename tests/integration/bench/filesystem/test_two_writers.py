"""Two commands that make the same folder: the second is told before its work."""

import subprocess
import sys
from pathlib import Path

import pytest
from making.result_folder import fill, names, overwrite, written

from bench.errors import InputError
from bench.filesystem.whole_files import whole_folder

_MAKE = """
import sys
from pathlib import Path
from bench.filesystem.whole_files import whole_folder
with whole_folder(Path(sys.argv[1]), lambda folder: None):
    print("makes it", flush=True)
    sys.stdin.read()
"""


def test_a_second_command_is_told_before_its_work_that_another_one_is_at_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", _MAKE, str(tmp_path / "out")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()

        with (
            pytest.raises(InputError, match=r"out: another command is making it; wait until it ends, or"),
            whole_folder(tmp_path / "out", written),
        ):
            pytest.fail("the block must not run")
        overwrite(tmp_path / "out")
        first.kill()

    with whole_folder(tmp_path / "other", written) as folder:
        fill(folder, a="x")
    assert "out" in names(tmp_path)


def test_a_killed_command_is_not_at_it_any_more(tmp_path: Path) -> None:
    words = [sys.executable, "-c", _MAKE, str(tmp_path / "out")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        first.kill()

    with whole_folder(tmp_path / "out", written) as folder:
        fill(folder, a="x")

    assert names(tmp_path) == ["out"]
