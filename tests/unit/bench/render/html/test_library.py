"""The scripts of a page are bundled once, and taken from the cache after that."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("vl_convert")

from bench.filesystem import cache_limits
from bench.render.html.library import packed_library


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path / "cache"))
    cache_limits._trim.cache_clear()
    yield tmp_path / "cache"
    cache_limits._trim.cache_clear()


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bundle a short script in place of the real ones, and note it."""
    times: list[str] = []

    def bundle() -> str:
        times.append("bundled")
        return "draw()"

    monkeypatch.setattr("vl_convert.javascript_bundle", bundle)
    return times


def test_scripts_are_bundled_once(bundled: list[str]) -> None:
    said: list[str] = []

    first, second = packed_library(said.append), packed_library(said.append)

    assert gzip.decompress(first) == b"draw()"
    assert first == second
    assert (bundled, said) == (["bundled"], [])


@pytest.mark.parametrize("content", [b"", b"x" * 40])
def test_damaged_scripts_are_bundled_again_and_said_to_be(
    content: bytes, cache: Path, bundled: list[str]
) -> None:
    packed_library(pytest.fail)
    (file,) = (cache / "page-scripts").iterdir()
    file.write_bytes(content)
    said: list[str] = []

    assert gzip.decompress(packed_library(said.append)) == b"draw()"

    assert said == [f"{file}: the cached scripts in it are damaged; they are made again"]
    assert gzip.decompress(packed_library(pytest.fail)) == b"draw()"
    assert len(bundled) == 2


def test_a_page_needs_no_cache(cache: Path, bundled: list[str]) -> None:
    cache.write_text("a file in its place")
    said: list[str] = []

    assert gzip.decompress(packed_library(said.append)) == b"draw()"

    assert len(said) == 1
    assert str(cache) in said[0]
    assert "the next page takes a second longer" in said[0]


def test_the_cached_scripts_can_be_emptied(cache: Path, bundled: list[str]) -> None:
    packed_library(pytest.fail)

    assert cache_limits.empty_cache() > 0
    assert list((cache / "page-scripts").iterdir()) == []
