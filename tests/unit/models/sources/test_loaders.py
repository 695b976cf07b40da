"""From the word or path of --data to its loader."""

from pathlib import Path

import pytest

from models.errors import InputError
from models.progress import Silent
from models.sources.loaders import prepare_source
from models.sources.options import SourceOptions

OPTIONS = SourceOptions(image_size=32, skip_bad=False, images=60)


def test_a_misspelt_source_is_an_error_that_suggests_the_right_one() -> None:
    with pytest.raises(InputError, match="did you mean 'pneumoniamnist'"):
        prepare_source("pnuemoniamnist", OPTIONS)


def test_a_missing_path_is_an_error_that_lists_the_sources() -> None:
    with pytest.raises(InputError) as caught:
        prepare_source("/nowhere/at/all", OPTIONS)

    assert "/nowhere/at/all" in str(caught.value)
    assert "give synthetic, a set of MedMNIST such as pneumoniamnist or pathmnist" in str(caught.value)


def test_a_dicom_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    path.write_bytes(b"\0" * 128 + b"DICM")

    with pytest.raises(InputError, match="DICOM is not supported"):
        prepare_source(str(path), OPTIONS)


def test_a_single_image_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(b"anything")

    with pytest.raises(InputError, match=r"but not an \.npz file, a CSV file or a folder"):
        prepare_source(str(path), OPTIONS)


def test_an_npz_file_is_loaded_by_its_path(npz_file: Path) -> None:
    dataset = prepare_source(str(npz_file), OPTIONS)(Silent())

    assert (dataset.name, len(dataset.train)) == ("films", 40)


def test_synthetic_gives_the_requested_number_of_images_stratified_and_reproducible() -> None:
    first = prepare_source("synthetic", OPTIONS)(Silent())
    second = prepare_source("synthetic", OPTIONS)(Silent())

    assert len(first.train) + len(first.validation) + len(first.test) == 60
    assert abs(len(first.test) - 12) <= 1
    assert (first.test.images == second.test.images).all()
    assert set(first.test.labels.tolist()) == {0, 1}
    assert "synthetic" in first.notes[0]


def test_an_npz_file_in_capitals_is_loaded_too(npz_file: Path) -> None:
    capitals = npz_file.rename(npz_file.with_name("FILMS.NPZ"))

    assert prepare_source(str(capitals), OPTIONS)(Silent()).name == "FILMS"
