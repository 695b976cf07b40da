"""What `make` tells uv of pip's settings, and when pip has to install all the same."""

import pytest
from making.installing import compiling, for_uv, settings_of

LISTED = """\
:env:.cert='/etc/ca.crt'
:env:.find-links='/wheels'
download.only-binary=':all:'
global.constraint='/etc/one.txt /etc/two.txt'
global.extra-index-url='file:///a\\nhttps://b.example/simple'
global.find-links='/older'
global.index-url='https://mirror.example/simple'
install.timeout='60'
install.trusted-host='mirror.example'
"""


def test_the_environment_counts_before_the_section_of_install_and_that_before_global() -> None:
    listed = "install.timeout='2'\n:env:.retries='3'\nglobal.timeout='1'\nglobal.retries='4'\n"

    assert settings_of(listed) == {"timeout": "2", "retries": "3"}


def test_settings_of_other_commands_say_nothing_on_installing() -> None:
    assert "only-binary" not in settings_of(LISTED)


def test_uv_is_told_every_index_certificate_and_constraint_of_pip() -> None:
    told = for_uv(settings_of(LISTED), [])
    pairs = list(zip(told.options[::2], told.options[1::2], strict=True))

    assert ("--index-url", "https://mirror.example/simple") in pairs
    assert [value for name, value in pairs if name == "--extra-index-url"] == [
        "file:///a",
        "https://b.example/simple",
    ]
    assert [value for name, value in pairs if name == "--constraint"] == ["/etc/one.txt", "/etc/two.txt"]
    assert [value for name, value in pairs if name == "--find-links"] == ["/wheels"]
    assert ("--allow-insecure-host", "mirror.example") in pairs
    assert ("--index-strategy", "unsafe-best-match") in pairs
    assert told.variables == {"SSL_CERT_FILE": "/etc/ca.crt", "UV_HTTP_TIMEOUT": "60"}
    assert told.unknown == ()


def test_an_index_of_the_command_takes_the_place_of_the_settings_own() -> None:
    told = for_uv({"index-url": "https://mirror.example"}, ["--index-url", "https://torch.example", "torch"])

    assert "https://mirror.example" not in told.options


@pytest.mark.parametrize(("value", "options"), [("true", ("--no-index",)), ("1", ("--no-index",)), ("0", ())])
def test_no_index_is_told_where_it_is_set(value: str, options: tuple[str, ...]) -> None:
    assert for_uv({"no-index": value}, []).options == options


def test_without_settings_uv_chooses_among_indexes_as_it_is_used_to() -> None:
    assert for_uv({"quiet": "1", "cache-dir": "/cache", "config-file": "/pip.conf"}, []).options == ()


@pytest.mark.parametrize("name", ["only-binary", "user", "target", "pre", "keyring-provider"])
def test_a_setting_that_uv_cannot_be_told_is_named(name: str) -> None:
    assert for_uv({name: "x"}, []).unknown == (name,)


@pytest.mark.parametrize(("keeps_none", "option"), [(True, ("--do",)), (False, ("--do-not",))])
def test_all_modules_are_compiled_where_python_would_keep_none_that_it_compiles(
    monkeypatch: pytest.MonkeyPatch, keeps_none: bool, option: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", keeps_none)

    assert compiling("--do", "--do-not") == option
    assert compiling(None, None) == ()
