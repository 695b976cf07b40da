"""The agent answers the laptop, also where it cannot work at all."""

import json
import os
from pathlib import Path

import pytest

from bench.remote.agent import serving


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that the board does not know, without HOME."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.mark.usefixtures("no_home")
def test_a_user_without_a_home_is_refused_in_an_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "umask", lambda _mask: 0)
    read_end, write_end = os.pipe()
    os.write(write_end, b'{"request": "clean", "stop": false}\n')
    try:
        serving.main(read_end)
    finally:
        os.close(read_end)
        os.close(write_end)

    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["refused"]
    assert answer["refused"].startswith("this user has no home folder")
