"""A CSV file that names images is a source of training data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.dataset import Dataset
from models.errors import InputError
from models.progress import Silent
from models.sources.loaders import prepare_source
from models.sources.options import SourceOptions

OPTIONS = SourceOptions(image_size=32, skip_bad=False, images=0)
COUNT = 24


@pytest.fixture
def folder(tmp_path: Path, write_class: Callable[..., None]) -> Path:
    """Two folders, as a data set is distributed in parts; the class is no part of a path."""
    for part in (0, 1):
        write_class(tmp_path / f"images_{part}", part, COUNT // 2, "{:02d}.png", first=part * COUNT // 2)
    return tmp_path


def table(folder: Path, header: str, row: str) -> Path:
    """Write a CSV file; a row is made of the number, the part, the class, and 0 or 1."""
    path = folder / "labels.csv"
    rows = [
        row.format(number, 2 * number // COUNT, ("No Finding", "Mass")[number % 2], number % 2)
        for number in range(COUNT)
    ]
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def loaded(path: Path) -> Dataset:
    return prepare_source(str(path), OPTIONS)(Silent())


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("path,label", "images_{1}/{0:02d}.png,{2}"),
        ("Image Index;Finding Labels", "{0:02d}.png;{2}"),
        ("id_code,diagnosis", "{0:02d},{2}"),
        ("file\tkind", "{0:02d}.png\t{2}"),
        ("path,label,age", "C:\\data\\images_{1}\\{0:02d}.png,{2},70"),
    ],
)
def test_images_are_found_by_path_or_by_name(folder: Path, header: str, row: str) -> None:
    dataset = loaded(table(folder, header, row))

    assert dataset.classes == ("No Finding", "Mass")
    assert dataset.name == "labels"
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == COUNT
    assert any("The table has no test split" in note for note in dataset.notes)


def test_numbers_are_classes_in_their_order(folder: Path) -> None:
    path = folder / "labels.csv"
    rows = "".join(f"{number:02d},{(2, 10, 1)[number % 3]}\n" for number in range(COUNT))
    path.write_text(f"id,label\n{rows}")

    assert loaded(path).classes == ("1", "2", "10")


def test_splits_and_patients_of_columns_are_used(folder: Path) -> None:
    path = folder / "labels.csv"
    rows = "".join(
        f"{number:02d}.png,{'ab'[number % 2]},p{number // 4},{'test' if number < 8 else 'train'}\n"
        for number in range(COUNT)
    )
    path.write_text(f"image,label,Patient ID,split\n{rows}")

    dataset = loaded(path)

    assert np.bincount(dataset.test.labels).tolist() == [4, 4]
    assert len(dataset.validation) % 4 == 0
    assert any("the column 'Patient ID' states it" in note for note in dataset.notes)


def test_rows_without_an_image_or_a_label_are_left_out_and_counted(folder: Path) -> None:
    path = table(folder, "path,label", "images_{1}/{0:02d}.png,{2}")
    path.write_text(path.read_text() + "\nimages_1/99.png,Mass\nimages_1/98.png,Mass\nimages_0/01.png,\n")

    assert loaded(path).warnings == (
        "2 of 27 rows name images that are not there and were left out (such as 'images_1/99.png').",
        "1 of 27 rows has no label and was left out (such as 'images_0/01.png').",
    )


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            "path,label",
            "images_{1}/{0:02d}.png,{2}|Mass",
            r"line 2: has several labels \('No Finding\|Mass'\), as",
        ),
        ("path,label", "nowhere/{0:02d}.jpg,{2}", r"no column names files that lie in .* column 'path'"),
        ("path,edema,mass", "images_{1}/{0:02d}.png,{3},{3}", "unclear which column has the classes"),
        ("path,label", "images_{1}/{0:02d}.png,same", "has 1 class; at least two are needed"),
        ("path,label,split", "images_{1}/{0:02d}.png,{2},fold", "line 2: the split is 'fold'"),
        ("path,label", "images_{1}/12.png,{2}", r"line 15: .*12\.png has another label than in .*line 14"),
        ("path,label", "images_{1}/{0:02d}.png", "line 2: has 1 cells, and the header 2"),
        ("path,label,label", "a,b,c", "two columns are named 'label'"),
    ],
)
def test_what_does_not_fit_is_named(folder: Path, header: str, row: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        loaded(table(folder, header, row))


def test_a_row_with_what_is_no_image_is_an_error(folder: Path) -> None:
    path = table(folder, "path,label", "images_{1}/{0:02d}.png,{2}")
    (folder / "images_0" / "03.png").write_bytes(b"<!DOCTYPE html><html>")

    with pytest.raises(InputError, match=r"03\.png cannot be decoded \(it is an HTML page\); 1 of 24 images"):
        loaded(path)


def test_an_empty_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("")

    with pytest.raises(InputError, match=r"labels\.csv: is no CSV file of images \(it is empty\)"):
        loaded(tmp_path / "labels.csv")
