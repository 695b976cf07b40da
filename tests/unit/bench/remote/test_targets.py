"""Addresses of boards: the arguments for ssh, and what is offered where an address cannot be read."""

import pytest

from bench.errors import InputError
from bench.remote.targets import parse_target, parse_targets

_EXAMPLE = "write ssh://[user@]host[:port], such as ssh://pi@raspberrypi.local"


@pytest.mark.parametrize(
    ("text", "arguments", "name"),
    [
        ("ssh://board", ("--", "board"), "board"),
        ("ssh://board/", ("--", "board"), "board"),
        ("board", ("--", "board"), "board"),
        ("localhost", ("--", "localhost"), "localhost"),
        ("pi@board", ("-l", "pi", "--", "board"), "board"),
        ("pi@board:2222", ("-p", "2222", "-l", "pi", "--", "board"), "board-2222"),
        ("board:22", ("-p", "22", "--", "board"), "board-22"),
        ("[board]:22", ("-p", "22", "--", "board"), "board-22"),
        ("SSH://PI@HOST", ("-l", "PI", "--", "HOST"), "HOST"),
        ("ssh://board.", ("--", "board."), "board"),
        ("ssh://my_board", ("--", "my_board"), "my_board"),
        ("ssh://lab+pi,2", ("--", "lab+pi,2"), "lab-pi-2"),
        ("ssh://pi@münchen.local", ("-l", "pi", "--", "münchen.local"), "münchen.local"),
        ("ssh://pi@raspberrypi.local", ("-l", "pi", "--", "raspberrypi.local"), "raspberrypi.local"),
        ("ssh://pi@10.0.0.7:2222", ("-p", "2222", "-l", "pi", "--", "10.0.0.7"), "10.0.0.7-2222"),
        ("ssh://[fe80::1%25eth0]", ("--", "fe80::1%eth0"), "fe80-1-eth0"),
        ("ssh://[fe80::1%dead0]:22", ("-p", "22", "--", "fe80::1%dead0"), "fe80-1-dead0-22"),
        ("ssh://pi@fe80::1", ("-l", "pi", "--", "fe80::1"), "fe80-1"),
        ("fe80::1%eth0", ("--", "fe80::1%eth0"), "fe80-1-eth0"),
        ("1:2:3:4:5:6:7:8", ("--", "1:2:3:4:5:6:7:8"), "1-2-3-4-5-6-7-8"),
        ("ssh://jane@corp.example@jump", ("-l", "jane@corp.example", "--", "jump"), "jump"),
        ("ssh://jane%40corp.example@board", ("-l", "jane@corp.example", "--", "board"), "board"),
        ("ssh://CORP\\jane@board", ("-l", "CORP\\jane", "--", "board"), "board"),
    ],
)
def test_an_address_becomes_ssh_arguments_and_a_name(
    text: str, arguments: tuple[str, ...], name: str
) -> None:
    target = parse_target(text)

    assert target.ssh_arguments == arguments
    assert target.name == name
    assert parse_target(target.address).ssh_arguments == arguments


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ssh://pi@host/home/pi", "ssh://pi@host"),
        ("host/home/pi", "ssh://host"),
        ("pi@host:/home/pi", "ssh://pi@host"),
        ("pi@host:models", "ssh://pi@host"),
        ("ssh://pi@host:", "ssh://pi@host"),
        ("ssh://pi:secret@host", "ssh://pi@host"),
        ("fe80::1%eth0:22", "ssh://[fe80::1%eth0]:22"),
        ("1:2:3:4:5:6:7:8:22", "ssh://[1:2:3:4:5:6:7:8]:22"),
        ("pi@fe80::1:22", "ssh://pi@[fe80::1]:22 or ssh://pi@[fe80::1:22]"),
        ("ssh pi@host -p 2222", "ssh://pi@host:2222"),
        ("ssh -p2222 -l pi host", "ssh://pi@host:2222"),
        (" pi@host\r\n", "ssh://pi@host"),
        ("ssh:pi@host", "ssh://pi@host"),
        ("ssh:///host", "ssh://host"),
        ("scp://pi@host:22/x", "ssh://pi@host:22"),
    ],
)
def test_the_address_that_is_meant_is_offered_with_its_own_host(text: str, meant: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_target(text)

    assert str(refusal.value).endswith(f"; write {meant}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh://",
        "@host",
        "pi@",
        "ssh -i key pi@host",
        "ssh://-oProxyCommand=x",
        "ssh://a%0ab",
        "ssh://a%2fb",
        "ssh://pi%40host",
        "ssh://host%3A22",
        "%ff",
        "pi@ho\u200bst",
        "CORP/jane@host",
        "CORP\\@host",
        "[fe80::1",
        "[fe80::1]x",
        "ssh://[fe80::1%251]",
        "host:0",
        "host:99999",
        "host:abc",
        "file:///home/pi",
        "adb:emulator-5554",
    ],
)
def test_no_host_is_guessed_where_it_is_unclear(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_target(text)

    assert str(refusal.value).endswith(_EXAMPLE)


@pytest.mark.parametrize(
    "text",
    [
        "ssh://pi:hunter2@host",
        "pi:hunter2@host",
        "ssh://pi%3Ahunter2@host",
        "pi:hunter2@host/home/pi",
        "pi:x@hunter2@host",
        "pi:x/hunter2@host",
        "pi:x hunter2@host",
        "ssh://pi:hunter2",
        "ssh:pi:hunter2@host",
        "scp://pi:hunter2@host",
        "ssh pi:hunter2@host",
        "sshpass -p hunter2 ssh pi@host",
        "ssh://host?password=hunter2",
        "ssh://pi;password=hunter2@host",
        "-oProxyCommand=hunter2",
    ],
)
def test_a_password_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_target(text)

    assert "hunter2" not in str(refusal.value)


def test_a_remedy_names_the_user_and_the_port_of_the_address() -> None:
    target = parse_target("ssh://CORP\\jane@board:2222")

    assert target.login == "-p 2222 'CORP\\jane@board'"
    assert target.known_as == "'[board]:2222'"


@pytest.mark.parametrize("other", ["ssh://pi@board", "BOARD"])
def test_a_board_named_twice_is_refused(other: str) -> None:
    with pytest.raises(InputError, match="named twice"):
        parse_targets(["ssh://board", other])
