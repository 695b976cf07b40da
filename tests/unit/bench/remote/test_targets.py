"""Addresses of boards: the arguments for ssh, and the name in a file's name."""

import pytest

from bench.errors import InputError
from bench.remote.targets import parse_target, parse_targets


@pytest.mark.parametrize(
    ("text", "arguments", "name"),
    [
        ("ssh://board", ("--", "board"), "board"),
        ("ssh://board/", ("--", "board"), "board"),
        ("ssh://pi@raspberrypi.local", ("-l", "pi", "--", "raspberrypi.local"), "raspberrypi.local"),
        ("ssh://pi@10.0.0.7:2222", ("-p", "2222", "-l", "pi", "--", "10.0.0.7"), "10.0.0.7-2222"),
        ("ssh://[fe80::1%25eth0]", ("--", "fe80::1%eth0"), "fe80-1-eth0"),
    ],
)
def test_an_address_becomes_ssh_arguments_and_a_name(
    text: str, arguments: tuple[str, ...], name: str
) -> None:
    target = parse_target(text)

    assert target.ssh_arguments == arguments
    assert target.name == name


def test_a_board_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="named twice"):
        parse_targets(["ssh://board", "ssh://pi@board"])
