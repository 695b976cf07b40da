"""The cache forgets what nobody used for long, and what is too much; nothing that another command uses."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.filesystem import cache_limits
from bench.filesystem.cache_limits import DAYS, empty_cache, mark_as_used, trim_cache

JOURNAL, OTHER, THIRD = ("0" * 32 + ".jsonl", "1" * 32 + "-" + "2" * 16 + ".jsonl", "3" * 32 + ".jsonl")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path))
    cache_limits._trim.cache_clear()
    yield tmp_path
    cache_limits._trim.cache_clear()


def entry(cache: Path, name: str, days: float = 0, size: int = 10) -> Path:
    path = cache / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - days * 86400,) * 2)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_not_used_for_three_months_is_deleted(cache: Path) -> None:
    entry(cache, f"journals/{JOURNAL}", DAYS + 1)
    entry(cache, f"journals/{OTHER}", DAYS - 1)
    mark_as_used(entry(cache, f"journals/{THIRD}", DAYS + 1))

    trim_cache("journals")

    assert names(cache / "journals") == [OTHER, THIRD]


def test_files_from_the_future_stay_because_a_clock_may_jump(cache: Path) -> None:
    entry(cache, f"journals/{JOURNAL}", -20_000)

    trim_cache("journals")

    assert names(cache / "journals") == [JOURNAL]


def test_what_was_used_longest_ago_is_deleted_where_the_cache_is_too_large(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = replace(cache_limits._PARTS["journals"], most_bytes=25)
    monkeypatch.setitem(cache_limits._PARTS, "journals", limit)
    for name, days in ((JOURNAL, 3), (OTHER, 1), (THIRD, 2)):
        entry(cache, f"journals/{name}", days)

    trim_cache("journals")

    assert names(cache / "journals") == [OTHER, THIRD]


def test_the_latest_stays_however_large_it_is(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = replace(cache_limits._PARTS["journals"], most_bytes=1)
    monkeypatch.setitem(cache_limits._PARTS, "journals", limit)
    entry(cache, f"journals/{JOURNAL}")

    trim_cache("journals")

    assert names(cache / "journals") == [JOURNAL]


def test_a_journal_that_is_being_written_stays(cache: Path) -> None:
    with entry(cache, f"journals/{JOURNAL}", DAYS + 1).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        trim_cache("journals")
        assert empty_cache() == 0

    assert names(cache / "journals") == [JOURNAL]


def test_what_killed_commands_left_unfinished_is_deleted(cache: Path) -> None:
    entry(cache, f"predictions/.{'0' * 64}.json.4000000-0123abcd.part")

    trim_cache("predictions")

    assert names(cache / "predictions") == []


def test_only_names_that_edgefit_gives_are_deleted(cache: Path) -> None:
    entry(cache, "journals/my diary.jsonl", DAYS + 1)
    entry(cache, "mine.txt", DAYS + 1)
    entry(cache, f"journals/{JOURNAL}")
    (cache / "wheels" / "0123456789abcdef").mkdir(parents=True)
    entry(cache, "wheels/0123456789abcdef/a.whl", size=100)
    (cache / "wheels" / "0123456789abcdef" / "a.whl").chmod(0o400)

    assert empty_cache() == 110
    assert names(cache) == ["journals", "mine.txt", "wheels"]
    assert names(cache / "journals") == ["my diary.jsonl"]
    assert names(cache / "wheels") == []


@pytest.mark.parametrize("delete", [lambda: trim_cache("wheels"), empty_cache])
def test_of_a_link_the_link_is_deleted_and_not_what_it_leads_to(
    cache: Path, delete: Callable[[], object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    entry(elsewhere, "kept/wheel.whl")
    (cache / "wheels").mkdir()
    link = cache / "wheels" / ("0" * 16)
    link.symlink_to(elsewhere)
    os.utime(link, (0, 0), follow_symlinks=False)

    delete()

    assert names(cache / "wheels") == []
    assert names(elsewhere / "kept") == ["wheel.whl"]


def test_an_entry_that_cannot_be_deleted_keeps_no_other_one_there(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate((JOURNAL, OTHER, THIRD)):
        entry(cache, f"journals/{name}", DAYS + 1 + number)
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name == OTHER:
            raise PermissionError
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    trim_cache("journals")

    assert names(cache / "journals") == [OTHER]


def test_a_cache_that_is_not_there_is_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path / "nowhere"))

    trim_cache("wheels")

    assert empty_cache() == 0
