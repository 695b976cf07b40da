"""An error at the edge of the process becomes one sentence that claims no more than is known."""

import errno

import pytest

from edgefit import app
from edgefit.__main__ import run


def test_a_full_disk_is_one_sentence_that_does_not_say_that_nothing_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/there/report.csv")

    monkeypatch.setattr(app, "app", fail)

    assert run(["doctor"]) == 2
    assert capsys.readouterr().err == (
        "edgefit: /there/report.csv cannot be read or written (No space left on device); "
        "check its permissions, and the free space\n"
    )
