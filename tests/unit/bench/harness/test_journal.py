"""Who may write a journal."""

import pytest

from bench.errors import InputError
from bench.harness.journal import Journal


def test_two_runs_cannot_write_one_journal() -> None:
    with Journal("run", resume=False), pytest.raises(InputError, match="another process is measuring"):
        Journal("run", resume=False)
