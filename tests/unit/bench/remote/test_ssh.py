"""The command in EDGEFIT_SSH may contain a password, which no error shows."""

from threading import Event

import pytest

from bench.errors import InputError
from bench.remote.ssh import Link
from bench.remote.targets import parse_target


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("sshpass -p 'hunter2 ssh", "EDGEFIT_SSH: No closing quotation"),
        ("SSHPASS=hunter2 sshpass -e ssh", "EDGEFIT_SSH must begin with a program"),
        ("nowhere -p hunter2 ssh", "nowhere: this program is not installed here"),
    ],
)
def test_a_command_that_cannot_be_used_is_refused_without_its_arguments(
    command: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_SSH", command)

    with pytest.raises(InputError) as refusal:
        Link(parse_target("board"), Event())

    assert str(refusal.value).startswith(reason)
    assert "hunter2" not in str(refusal.value)
