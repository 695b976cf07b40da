"""What --data names is recognised by its content, and divided in three sets without common samples."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from making.pictures import write_picture, write_pictures
from PIL import Image

from bench.bundle.input_preprocessing import Preprocess
from bench.errors import InputError
from export.data.class_names import stated_classes
from export.data.finding import DataOptions, find_data
from export.data.images import LabelledImages
from export.data.listing import SampleLimits
from export.data.readable import FileImages
from export.data.tensors import LabelledTensors
from models.errors import InputError as ModelsInputError

EIGHT = Preprocess(input_size=(3, 8, 8), resize="squash", mean=(0.0,) * 3, std=(1.0,) * 3, channels="rgb")
GREY = EIGHT.model_copy(update={"input_size": (1, 8, 8), "mean": (0.0,), "std": (1.0,), "channels": "grey"})


def images_of(data: Path | str, *classes: str, limits: SampleLimits | None = None) -> LabelledImages:
    found = find_data(str(data), DataOptions(classes=classes, limits=limits or SampleLimits()))
    assert isinstance(found, LabelledImages)
    return found


def sets_of(found: LabelledImages | LabelledTensors) -> list[npt.NDArray[np.int64]]:
    return [found.calibration, found.held_out, found.evaluation]


def are_disjoint(found: LabelledImages | LabelledTensors) -> bool:
    every = np.concatenate(sets_of(found))
    return len(np.unique(every)) == len(every)


def files_of(found: LabelledImages) -> list[list[Path]]:
    assert isinstance(found.images, FileImages)
    return [[found.images.files[index] for index in chosen] for chosen in sets_of(found)]


def notes_of(found: LabelledImages | LabelledTensors) -> str:
    return " ".join(found.notes)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """A folder per class; edgefit's own order would be normal first."""
    for name, count in (("abscess", 12), ("normal", 24)):
        write_pictures(tmp_path / "xrays" / name, count)
    return tmp_path / "xrays"


def test_classes_of_folders_have_the_order_of_the_alphabet(classes: Path) -> None:
    found = images_of(classes)
    assert found.classes == ("abscess", "normal")
    assert found.labels is not None
    assert [path.parent.name for path in files_of(found)[2]] == [
        found.classes[label] for label in found.labels[found.evaluation]
    ]
    assert "order of the alphabet" in notes_of(found)


def test_a_folder_without_splits_is_divided_stratified(classes: Path) -> None:
    found = images_of(classes)
    assert are_disjoint(found)
    assert found.labels is not None
    for chosen in sets_of(found):
        assert np.bincount(found.labels[chosen]).tolist() == [4, 8]
        assert 0 in found.labels[chosen[:4]]
    assert "no splits" in notes_of(found)
    assert "too good" in notes_of(found)


def test_the_same_data_is_always_divided_in_the_same_way(classes: Path) -> None:
    first, again = images_of(classes), images_of(classes)
    assert all(np.array_equal(one, two) for one, two in zip(sets_of(first), sets_of(again), strict=True))


def test_the_folders_own_splits_are_used(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("valid", 30), ("test", 15)):
        for name in ("ill", "well"):
            write_pictures(tmp_path / split / name, count, split + "{}.png")
    found = images_of(tmp_path)
    assert [{path.name[:4] for path in files} for files in files_of(found)] == [{"trai"}, {"vali"}, {"test"}]
    assert [len(chosen) for chosen in sets_of(found)] == [40, 60, 30]


def test_a_small_val_joins_train_and_the_limits_hold(tmp_path: Path) -> None:
    for split, count in (("train", 30), ("val", 3), ("test", 15)):
        for name in ("ill", "well"):
            write_pictures(tmp_path / split / name, count, split + "{}.png")
    found = images_of(tmp_path, limits=SampleLimits(calibration=10, held_out=8, evaluation=6))
    assert [len(chosen) for chosen in sets_of(found)] == [10, 8, 6]
    assert {path.name[:4] for path in files_of(found)[2]} == {"test"}
    assert "val has fewer than 50 samples (6)" in notes_of(found)


def test_nothing_is_evaluated_on_train_where_val_exists(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("val", 40)):
        for name in ("ill", "well"):
            write_pictures(tmp_path / split / name, count, split + "{}.png")
    found = images_of(tmp_path)
    assert [{path.name[:3] for path in files} for files in files_of(found)] == [{"tra"}, {"val"}, {"val"}]
    assert "no test split" in notes_of(found)


def test_a_patient_is_in_one_set_by_file_names(tmp_path: Path) -> None:
    for patient in range(20):
        write_pictures(tmp_path / "normal", 2, f"person{patient}_virus_{{}}.png", first=10 * patient)
        write_pictures(tmp_path / "pneumonia", 2, f"person{100 + patient}_virus_{{}}.png", first=10 * patient)
    found = images_of(tmp_path)
    patients = [{path.name.split("_")[0] for path in files} for files in files_of(found)]
    assert not patients[0] & patients[1]
    assert not (patients[0] | patients[1]) & patients[2]
    assert "by patient (file names tell that of 80 of 80)" in notes_of(found)


def test_patients_of_the_test_split_are_left_out_of_train(tmp_path: Path) -> None:
    for name in ("ill", "well"):
        write_pictures(tmp_path / "train" / name, 20, f"patient{name}{{}}.png")
        write_pictures(tmp_path / "val" / name, 30, "{}.png")
        write_pictures(tmp_path / "test" / name, 10, "{}.png")
        write_picture(tmp_path / "train" / name / "patient7_1.png")
        write_picture(tmp_path / "test" / name / "patient7_2.png", 71 if name == "ill" else 72)
    found = images_of(tmp_path)
    assert "patient7_1.png" not in {path.name for path in files_of(found)[0]}
    assert "that a later split has as well: 2 left out" in notes_of(found)


def test_equal_files_are_kept_in_the_later_set_alone(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("val", 30), ("test", 15)):
        for name in ("ill", "well"):
            write_pictures(tmp_path / split / name, count, split + "{}.png")
    shutil.copy(tmp_path / "test/ill/test0.png", tmp_path / "train/ill/copy.png")
    found = images_of(tmp_path)
    assert [len(chosen) for chosen in sets_of(found)] == [40, 60, 30]
    assert "copy.png" not in {path.name for path in files_of(found)[0]}
    assert "1 image is equal to one of a later split, byte for byte (train/ill/copy.png" in found.warnings[0]


@pytest.mark.parametrize("names", [("{}.png",), ("images/{}.png",), ("patient1/{}.png", "patient2/{}.png")])
def test_images_without_meaningful_folders_have_no_labels(tmp_path: Path, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        write_pictures(tmp_path, 20, name, first=30 * number)
    if len(names) > 1:
        write_pictures(tmp_path, 20, "patient3/{}.png", first=100)
    found = images_of(tmp_path)
    assert found.labels is None
    assert found.classes == ()
    assert are_disjoint(found)
    assert "no labels" in notes_of(found) or "no classes" in notes_of(found)


def test_stated_classes_order_the_folders(classes: Path) -> None:
    found = images_of(classes, "normal", "other", "abscess")
    assert found.classes == ("normal", "other", "abscess")
    assert found.labels is not None
    assert set(found.labels.tolist()) == {0, 2}


def test_a_folder_that_is_no_stated_class_is_refused(classes: Path) -> None:
    with pytest.raises(InputError, match=r"'abscess' is not among the classes stated \(normal, pneumonia\)"):
        images_of(classes, "normal", "pneumonia")


def test_timms_other_order_is_said(tmp_path: Path) -> None:
    for name in ("class2", "class10"):
        write_pictures(tmp_path / name, 10)
    found = images_of(tmp_path)
    assert found.classes == ("class10", "class2")
    assert "timm orders them otherwise (class2, class10)" in notes_of(found)


def test_an_empty_class_folder_is_refused(classes: Path) -> None:
    (classes / "other").mkdir()
    with pytest.raises(InputError, match="the sub-folder 'other' has no image"):
        images_of(classes)


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, 9)
    with pytest.raises(InputError, match=r"9 samples .* at least 8 are needed there \(12 in all\)"):
        images_of(tmp_path)


def test_twelve_images_are_enough(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12)
    assert [len(chosen) for chosen in sets_of(images_of(tmp_path))] == [8, 2, 2]


def test_a_folder_without_images_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is an empty folder"):
        images_of(tmp_path)
    with pytest.raises(InputError, match=r"no such file or folder; did you mean 'synthetic'\? give a folder"):
        images_of("syntetic")


def test_dicom_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12)
    (tmp_path / "film.dcm").write_bytes(b"")
    with pytest.raises(ModelsInputError, match="DICOM is not supported"):
        images_of(tmp_path)


def test_what_is_no_image_is_named_at_once_and_a_broken_image_when_it_is_read(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12)
    (tmp_path / "3.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"3\.png: it is a text file \(1 of 12 images"):
        images_of(tmp_path)
    (tmp_path / "3.png").write_bytes((tmp_path / "4.png").read_bytes()[:60])
    found = images_of(tmp_path)
    with pytest.raises(InputError, match=r"3\.png: cannot be read as an image"):
        found.images.read(range(12), EIGHT)


def test_images_are_read_as_the_network_takes_them(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12)
    found = images_of(tmp_path)
    assert found.images.read([0, 1], EIGHT).shape == (2, 8, 8, 3)
    assert found.images.read([0, 1], GREY).shape == (2, 8, 8)


def npz(path: Path, kind: Any = np.uint8, **changes: Any) -> Path:
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split, count in (("train", 200), ("val", 60), ("test", 40)):
        most = np.iinfo(kind).max
        arrays[f"{split}_images"] = random.integers(0, most, (count, 9, 7), dtype=kind)
        arrays[f"{split}_labels"] = (np.arange(count) % 2)[:, None].astype(np.uint8)
    kept = {key: value for key, value in {**arrays, **changes}.items() if value is not None}
    np.savez(path, **kept)
    return path


def test_medmnists_npz_has_its_own_splits(tmp_path: Path) -> None:
    found = images_of(npz(tmp_path / "pneumoniamnist.npz"), limits=SampleLimits(calibration=20))
    assert [len(chosen) for chosen in sets_of(found)] == [20, 60, 40]
    assert found.classes == ("normal", "pneumonia")
    assert "The names of the classes are those of MedMNIST, by the name of the file." in found.notes
    assert found.labels is not None
    assert found.evaluation.min() >= 260


def test_stated_names_are_not_said_to_be_medmnists(tmp_path: Path) -> None:
    found = images_of(npz(tmp_path / "pneumoniamnist.npz"), "healthy", "ill")
    assert found.classes == ("healthy", "ill")
    assert not any("MedMNIST" in note for note in found.notes)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, ">u2"])
def test_the_chosen_images_of_an_npz_are_those_of_the_file(tmp_path: Path, kind: Any) -> None:
    path = npz(tmp_path / "films.npz", np.dtype(kind).newbyteorder("=").type)
    with np.load(path) as arrays:
        stored = {key: array.astype(kind) if "images" in key else array for key, array in arrays.items()}
    np.savez(path, allow_pickle=False, **stored)
    found = images_of(path, limits=SampleLimits(calibration=20))
    with np.load(path) as arrays:
        every = np.concatenate([arrays[f"{split}_images"] for split in ("train", "val", "test")])
    plain = GREY.model_copy(update={"input_size": (1, 9, 7), "resize": "none"})
    right = every if kind is np.uint8 else np.rint(every / 257)
    for chosen in sets_of(found):
        assert np.array_equal(found.images.read(chosen.tolist(), plain), right[chosen])


def test_the_white_of_an_npz_is_that_of_the_chosen_images_or_the_stated_one(tmp_path: Path) -> None:
    path = npz(tmp_path / "films.npz", np.uint16)
    with np.load(path) as arrays:
        darker = {name: array // 16 if "images" in name else array for name, array in arrays.items()}
    np.savez(path, allow_pickle=False, **darker)
    found = images_of(path, limits=SampleLimits(calibration=20))
    plain = GREY.model_copy(update={"input_size": (1, 9, 7), "resize": "none"})
    chosen = found.evaluation.tolist()
    every = np.concatenate([darker[f"{split}_images"].astype(int) for split in ("train", "val", "test")])

    assert found.survey().white == 4095
    stated = plain.model_copy(update={"sixteen_bit_white": 4095})
    assert np.array_equal(found.images.read(chosen, stated), np.rint(every[chosen] * 255 / 4095))
    assert np.array_equal(found.images.read(chosen, plain), np.rint(every[chosen] / 257))
    with pytest.raises(InputError, match=r"films\.npz: image \d+ cannot be read: it has the value \d+, and"):
        found.images.read(chosen, plain.model_copy(update={"sixteen_bit_white": 1023}))


def test_splits_of_different_depths_are_refused(tmp_path: Path) -> None:
    path = npz(tmp_path / "films.npz", np.uint16)
    with np.load(path) as arrays:
        mixed = dict(arrays)
    np.savez(path, allow_pickle=False, **{**mixed, "test_images": mixed["test_images"].astype(np.uint8)})

    with pytest.raises(InputError, match="train_images are uint16, and test_images uint8; give all splits"):
        images_of(path)


def test_an_npz_may_have_coloured_images_several_labels_and_one_split(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    np.savez(
        tmp_path / "chest.npz",
        test_images=random.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8),
        test_labels=random.integers(0, 2, (60, 14)),
    )
    found = images_of(tmp_path / "chest.npz")
    assert found.labels is not None
    assert found.labels.shape == (60, 14)
    assert are_disjoint(found)
    assert found.images.read([int(found.evaluation[0])], EIGHT).shape == (1, 8, 8, 3)
    assert "test alone" in notes_of(found)


def test_an_npzs_own_names_are_brought_to_the_stated_order(tmp_path: Path) -> None:
    path = npz(tmp_path / "films.npz", classes=np.array(["well", "ill"]))
    found = images_of(path, "ill", "well")
    assert found.labels is not None
    assert found.labels[:2].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_labels": None}, "key 'test_labels' is missing"),
        ({"test_labels": np.zeros((9, 1), int)}, "test has 40 images and 9 labels"),
        ({"test_labels": np.full((40, 1), -1)}, "holds -1"),
        ({"test_labels": np.full((40, 3), 2)}, "3 columns and holds 2"),
        ({"test_labels": np.zeros((40, 3), int)}, "all splits of one shape"),
        ({"test_labels": np.full((40, 1), 0.5)}, "has the type float64"),
        ({"test_labels": np.full((40, 1), 7), "classes": np.array(["a", "b"])}, "test_labels has 7"),
        ({"test_images": np.zeros((40, 9, 7), np.float32)}, "has the type float32"),
        ({"test_images": np.zeros((40, 9, 9, 9), np.uint8)}, r"shape \[40, 9, 9, 9\]"),
        ({"test_images": np.array([None] * 40)}, "object"),
    ],
)
def test_an_npz_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        images_of(npz(tmp_path / "films.npz", **changes))


def test_another_npz_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(InputError, match="has the keys x; it needs MedMNIST's keys"):
        images_of(tmp_path / "other.npz")
    path = npz(tmp_path / "films.npz")
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(InputError, match="'train_images' cannot be read"):
        images_of(path)


def test_a_named_data_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.data.named._DRAWN", 50)
    found = find_data("synthetic", DataOptions(image_side=32))
    assert isinstance(found, LabelledImages)
    assert len(found.classes) == 2
    assert are_disjoint(found)


def test_a_run_folder_has_its_own_images(run_folder: Path) -> None:
    found = images_of(run_folder, limits=SampleLimits(calibration=12, held_out=12, evaluation=12))
    assert are_disjoint(found)
    swapped = images_of(run_folder, *reversed(found.classes))
    assert found.labels is not None
    assert swapped.labels is not None
    assert (found.labels + swapped.labels == 1).all()


def test_warnings_of_a_run_folder_stay_warnings(run_folder: Path) -> None:
    record = run_folder / "run.json"
    document = json.loads(record.read_text())
    document["data"]["warnings"] = ["1 image was left out."]
    record.write_text(json.dumps(document))
    found = images_of(run_folder, limits=SampleLimits(calibration=12, held_out=12, evaluation=12))
    assert found.warnings == ("1 image was left out.",)
    assert "1 image was left out." in found.notes


def test_linked_folders_of_classes_are_followed_and_broken_links_refused(classes: Path) -> None:
    linked = classes.parent / "linked"
    linked.mkdir()
    for name in ("abscess", "normal"):
        (linked / name).symlink_to(classes / name)
    assert len(images_of(linked).images) == 36
    (classes / "normal" / "gone.png").symlink_to(classes / "nowhere.png")
    with pytest.raises(InputError, match=r"gone\.png: it is a broken link"):
        images_of(linked)


def test_stated_classes_come_from_a_list_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\ufeffnormal\r\nno finding, at all\r\n", encoding="utf-8")
    assert stated_classes("b, a") == ("b", "a")
    assert stated_classes(str(tmp_path / "names.txt")) == ("normal", "no finding, at all")
    with pytest.raises(InputError, match="there is no such file"):
        stated_classes("nams.txt")
    with pytest.raises(ModelsInputError, match="2 classes are named 'a'"):
        stated_classes("a,a")


def test_a_picture_of_its_own_is_no_data(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "film.png")
    with pytest.raises(InputError, match="is an image, not data"):
        images_of(tmp_path / "film.png")


def test_a_damaged_npz_file_is_not_taken_for_a_table(tmp_path: Path) -> None:
    (tmp_path / "images.npz").write_bytes(b"PK\x03\x04\xff\xfe")

    with pytest.raises(InputError, match=r"images\.npz: is cut off \(a zip archive without its end\)"):
        find_data(str(tmp_path / "images.npz"))
