"""A CSV file names images, classes or several labels, splits and patients, as spreadsheets write it."""

from pathlib import Path

import pytest
from making.pictures import write_pictures

from bench.errors import InputError
from export.data.finding import DataOptions, find_data
from export.data.images import LabelledImages
from export.data.readable import FileImages

COUNT = 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "films", COUNT)
    return tmp_path


def written(folder: Path, header: str, row: str = "films/{0}.png,{1}", encoding: str = "utf-8") -> Path:
    """Write a CSV file; a row is made of the image's number and its class, alternately a and b."""
    rows = [row.format(number, "ab"[number % 2], number % 2, number // 3) for number in range(COUNT)]
    path = folder / "labels.csv"
    path.write_bytes("\r\n".join([header, *rows, "", ""]).encode(encoding))
    return path


def images_of(path: Path, *classes: str) -> LabelledImages:
    found = find_data(str(path), DataOptions(classes=classes))
    assert isinstance(found, LabelledImages)
    return found


def labels_of(found: LabelledImages) -> list[int]:
    assert found.labels is not None
    labels: list[int] = found.labels.tolist()
    return labels


@pytest.mark.parametrize(
    ("header", "row", "encoding"),
    [
        ("path,label", "films/{0}.png,{1}", "utf-8"),
        ("Path;Label", "films/{0}.png;{1}", "utf-8-sig"),
        ("path\tlabel", "films/{0}.png\t{1}", "utf-16"),
        (",path,label", "{0},films/{0}.png,{1}", "utf-8"),
        ('"path","label"', '"films/{0}.png","{1}"', "utf-8"),
        ("sep=;\r\nlabel;path", "{1};films/{0}.png", "utf-8"),
        ("path, label", "films\\{0}.png, {1}", "utf-8"),
        ("Image Index,Finding Labels,Patient ID", "{0}.png,{1},{0}", "utf-8"),
        ("image_id,dx", "{0},{1}", "utf-8"),
        ("file,class", "films/{0}.png,{1}", "utf-8"),
        ("file,class", "/another/machine/films/{0}.png,{1}", "utf-8"),
    ],
)
def test_a_csv_file_is_read_as_programs_write_it(folder: Path, header: str, row: str, encoding: str) -> None:
    found = images_of(written(folder, header, row, encoding))
    assert isinstance(found.images, FileImages)
    assert found.images.files[3] == folder / "films/3.png"
    assert found.classes == ("a", "b")
    assert labels_of(found) == [0, 1] * 12


@pytest.mark.parametrize("row", ["films/{0}.png,{2}", "films/{0}.png,{2}.0"])
def test_whole_numbers_are_the_numbers_of_classes(folder: Path, row: str) -> None:
    found = images_of(written(folder, "path,label", row))
    assert found.classes == ()
    assert labels_of(found) == [0, 1] * 12
    assert images_of(written(folder, "path,label", row), "x", "y").classes == ("x", "y")


def test_names_are_in_the_stated_order(folder: Path) -> None:
    found = images_of(written(folder, "path,label"), "b", "a", "c")
    assert found.classes == ("b", "a", "c")
    assert labels_of(found) == [1, 0] * 12


def test_columns_of_zero_and_one_are_several_labels(folder: Path) -> None:
    path = written(folder, "path,edema,mass", "films/{0}.png,{2},True")
    found = images_of(path)
    assert found.classes == ("edema", "mass")
    assert found.labels is not None
    assert found.labels[:2].tolist() == [[0, 1], [1, 1]]
    swapped = images_of(path, "mass", "edema").labels
    assert swapped is not None
    assert swapped[:2].tolist() == [[1, 0], [1, 1]]


def test_a_column_of_patients_keeps_them_together(folder: Path) -> None:
    found = images_of(written(folder, "path,label,patient", "films/{0}.png,{1},P{3}"))
    sets = [
        {index // 3 for index in chosen} for chosen in (found.calibration, found.held_out, found.evaluation)
    ]
    assert not sets[0] & sets[1]
    assert not (sets[0] | sets[1]) & sets[2]
    assert any("the column 'patient' tell" in note for note in found.notes)


def test_a_column_of_splits_is_used(folder: Path) -> None:
    path = written(folder, "path,label,split")
    path.write_text(
        "path,label,split\n"
        + "".join(f"films/{n}.png,{'ab'[n % 2]},{'train' if n < 18 else 'test'}\n" for n in range(COUNT))
    )
    found = images_of(path)
    assert sorted(found.evaluation.tolist()) == list(range(18, 24))
    assert any("no val split" in note for note in found.notes)


def test_a_list_of_paths_has_no_labels(folder: Path) -> None:
    found = images_of(written(folder, "path", "films/{0}.png"))
    assert found.labels is None


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("file,class", "films/{0}.jpg,{1}", "its first line is 'file,class'.*give a header 'path,label'"),
        ("path,kind", "films/{0}.png,{1}", "no column 'label', but 'kind'; rename it"),
        ("path,label", "films/{0}.png,{1}|c", r"line 2: has several labels \('a\|c'\)"),
        ("path,label", "films/{0}.jpg,{1}", r"line 2: there is no file .*0\.jpg \(24 of 24 are missing\)"),
        ("path,label", "films/{0}.png,", "line 2: the label is empty"),
        ("path,label", "films/{0}.png", "line 2: has 1 cells, and the header 2"),
        ("path,label", "films/1.png,{1}", "line 3: .* has another label than in .*line 2"),
        ("path,label,label", "films/{0}.png,{1},{1}", "two columns are named 'label'"),
        ("path,label,split", "films/{0}.png,{1},fold", "line 2: the split is 'fold'"),
        ("path,label,patient", "films/{0}.png,{1},", "line 2: 'patient' is empty"),
        (
            "path,edema,mass",
            "films/{0}.png,-1,0",
            "line 2: 'edema' is '-1'; a column of a label",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(folder: Path, header: str, row: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        images_of(written(folder, header, row))


def test_a_number_beyond_the_stated_classes_is_refused(folder: Path) -> None:
    path = written(folder, "path,label", "films/{0}.png,{0}")
    with pytest.raises(InputError, match=r"line 4: the label is 2, and 2 classes are named \(x, y\)"):
        images_of(path, "x", "y")


def test_a_header_alone_and_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,label\n")
    with pytest.raises(InputError, match="has a header and no row"):
        images_of(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes("path,label\nfilms/ü.png,a".encode("latin-1"))
    with pytest.raises(InputError, match="save it as 'CSV UTF-8'"):
        images_of(tmp_path / "b.csv")
    (tmp_path / "c.csv").write_bytes(b"")
    with pytest.raises(InputError, match="it is empty"):
        images_of(tmp_path / "c.csv")
