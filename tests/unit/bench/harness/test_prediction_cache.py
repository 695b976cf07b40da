"""A cache file that cannot be used is a miss: it is said, and replaced."""

import os
from pathlib import Path

import pytest
from making.power_loss import PowerLoss, quick_syncing  # noqa: F401 - used by every test
from making.watching import Watching

from bench.harness import prediction_cache
from bench.harness.prediction_cache import CachedPredictions
from bench.measurements import Executed

EXECUTED = Executed(source="a graph", operators=(), casts=0, quantise=0, dequantise=0)
PREDICTIONS = CachedPredictions(created="then", logits=((1.0, 2.0), (3.0, 4.0)), executed=EXECUTED)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with cached predictions of two images."""
    prediction_cache.write(tmp_path / "key.json", PREDICTIONS, Watching())
    return tmp_path / "key.json"


def read(file: Path, images: int = 2, values: int = 2) -> tuple[CachedPredictions | None, list[str]]:
    watching = Watching()
    return prediction_cache.read(file, images, values, watching), watching.sentences


def assert_missed(file: Path, why: str, values: int = 2) -> None:
    predictions, said = read(file, values=values)

    assert predictions is None
    assert said == [f"{file}: the cached predictions in it {why}; they are computed again"]
    prediction_cache.write(file, PREDICTIONS, Watching())
    assert read(file)[0] is not None


def test_what_was_written_is_read(file: Path) -> None:
    predictions, said = read(file, images=1)

    assert predictions is not None
    assert (predictions.created, predictions.logits, said) == ("then", PREDICTIONS.logits, [])
    assert read(file, images=3) == (None, [])
    assert read(file.with_name("none.json")) == (None, [])


def test_a_file_of_an_earlier_version_is_read(file: Path) -> None:
    file.write_text(PREDICTIONS.model_dump_json(by_alias=True, exclude={"key"}))

    assert read(file) == (PREDICTIONS, [])
    assert PREDICTIONS.key is None


@pytest.mark.parametrize(
    "content",
    [b"", bytes(500), b"{", b"\xff\xfe", b"[]", b"{}", b"[" * 100_000, b'{"schema":2}'],
    ids=["empty", "zeros", "torn", "an older block", "another value", "no keys", "nested", "old"],
)
def test_a_damaged_file_is_a_miss(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    assert_missed(file, "are damaged")


def test_each_torn_length_is_a_miss(file: Path) -> None:
    whole = file.read_bytes()
    for length in range(len(whole) - 1):  # without its line end it is whole
        file.write_bytes(whole[:length])

        assert read(file)[0] is None, length


def test_another_file_under_its_name_is_a_miss(file: Path) -> None:
    assert_missed(file.rename(file.with_name("other.json")), "are those of another file")


def test_another_number_of_values_is_a_miss(file: Path) -> None:
    assert_missed(file, "have not 3 values for each image", values=3)


def test_a_file_that_cannot_be_opened_is_a_miss(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)

    assert_missed(file, "cannot be read (Too many levels of symbolic links)")


def test_a_folder_in_its_place_is_said_and_the_run_goes_on(tmp_path: Path) -> None:
    file, watching = tmp_path / "key.json", Watching()
    file.mkdir()

    predictions, said = read(file)
    prediction_cache.write(file, PREDICTIONS, watching)

    assert predictions is None
    assert said == [
        f"{file}: the cached predictions in it cannot be read (Is a directory); they are computed again"
    ]
    assert watching.sentences == [
        (
            f"{file} cannot be written (Is a directory); check the path, or use another one; "
            "the next run computes these predictions again"
        )
    ]
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_is_said_and_the_run_goes_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    watching, before = Watching(), file.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    prediction_cache.write(file, PREDICTIONS.model_copy(update={"created": "now"}), watching)

    (said,) = watching.sentences
    assert said.startswith(f"{file} cannot be written (No space left on device); free some space there")
    assert said.endswith("; the next run computes these predictions again")
    assert file.read_bytes() == before


def test_a_loss_of_power_leaves_whole_predictions_or_none(file: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    loss = PowerLoss(tmp_path / "disk")
    loss.run(lambda: prediction_cache.write(tmp_path / "disk" / file.name, PREDICTIONS, Watching()))

    for left in loss.at_any_step(tmp_path / "left"):
        assert not (left / file.name).exists() or (left / file.name).read_bytes() == file.read_bytes()
    for left in loss.at_the_end(tmp_path / "end"):
        assert (left / file.name).read_bytes() == file.read_bytes()
