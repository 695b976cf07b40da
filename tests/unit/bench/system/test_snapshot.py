"""What this machine reports, also where /proc hides the processes of others."""

from typing import NoReturn

import psutil
import pytest

from bench.system.snapshot import here


def test_hidden_parents_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(self: psutil.Process) -> NoReturn:
        raise psutil.AccessDenied(1)

    monkeypatch.setattr(psutil.Process, "parent", hidden)

    assert here().programs_above == ()


def test_a_parent_whose_command_is_hidden_hides_none_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Parent:
        def __init__(self, *commands: str) -> None:
            self._commands = commands

        def cmdline(self) -> list[str]:
            if not self._commands[0]:
                raise psutil.AccessDenied(1)
            return [self._commands[0], "-x"]

        def parent(self) -> "Parent | None":
            return Parent(*self._commands[1:]) if self._commands[1:] else None

    monkeypatch.setattr(psutil.Process, "parent", lambda self: Parent("sh", "", "qemu-aarch64"))

    assert here().programs_above == ("sh", "qemu-aarch64")
