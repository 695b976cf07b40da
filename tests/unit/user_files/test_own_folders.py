"""Where the user's own folders are, also for a user who has no home."""

from pathlib import Path

import pytest

from user_files.own_folders import cache, configuration, home, is_below_no_home, name_a_home


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    for name in ("HOME", "EDGEFIT_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_home_has_none_of_them() -> None:
    assert (home(), cache(), configuration()) == (None, None, None)


@pytest.mark.usefixtures("homeless")
def test_libraries_are_given_a_home_that_edgefit_does_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "restored afterwards")
    monkeypatch.delenv("HOME")

    name_a_home()

    assert is_below_no_home(Path.home() / ".cache/torch")
    assert (home(), cache(), configuration()) == (None, None, None)


def test_a_home_is_never_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    name_a_home()

    assert home() == tmp_path
    assert not is_below_no_home(tmp_path / "cache")
    assert is_below_no_home(Path("~/.cache"))


@pytest.mark.usefixtures("homeless")
def test_a_variable_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/there")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert (cache(), configuration()) == (Path("/cache/edgefit"), Path("/there/edgefit"))

    monkeypatch.setenv("EDGEFIT_CACHE", "/own")
    assert cache() == Path("/own")


def test_relative_paths_are_ignored_where_the_standard_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("EDGEFIT_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("here", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache() == tmp_path / ".cache/edgefit"


@pytest.mark.parametrize(("value", "folder"), [("rel", "here/rel"), ("~/own", "home/own")])
def test_a_cache_is_an_absolute_path_because_workers_have_another_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, folder: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EDGEFIT_CACHE", value)

    assert cache() == tmp_path / folder
