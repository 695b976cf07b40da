"""Fine-tuning into a run folder, and reading it again."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from making.films import Remembering, medmnist_arrays, save_npz
from PIL import Image
from safetensors.torch import load_file, save

from models.architectures import find_architecture
from models.errors import InputError
from models.finetune import finetune
from models.options import FinetuneOptions
from models.prediction import predict
from models.progress import Silent
from models.records import Preprocessing
from models.run_folder import read_run, written_files

CREATED = "2026-01-02T03:04:05+00:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Remembering]:
    folder = tmp_path_factory.mktemp("made")
    save_npz(folder / "films.npz", medmnist_arrays())
    (folder / "run").mkdir()
    progress = Remembering()
    options = FinetuneOptions(str(folder / "films.npz"), weights="none", image_size=32, epochs=2, unfreeze=3)
    finetune(options, folder / "run", progress, "edgefit 9.9", "films", CREATED)
    return folder, progress


@pytest.fixture
def run_folder(made: tuple[Path, Remembering], tmp_path: Path) -> Path:
    for path in (made[0] / "run").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def options_for(made: tuple[Path, Remembering]) -> FinetuneOptions:
    return FinetuneOptions(str(made[0] / "films.npz"), weights="none", image_size=32, epochs=2, unfreeze=3)


def test_the_run_folder_holds_four_files_and_nothing_else(run_folder: Path) -> None:
    assert {path.name for path in run_folder.iterdir()} == {
        "run.json",
        "model.safetensors",
        "history.json",
        "images.npz",
    }


def test_the_record_describes_the_run(run_folder: Path) -> None:
    record = read_run(run_folder).record

    assert (record.tool, record.name, record.created) == ("edgefit 9.9", "films", CREATED)
    assert (record.arch, record.classes, record.image_size) == ("mobilenet_v2", ("0", "1"), 32)
    assert (record.weights.kind, record.weights.sha256) == ("none", None)
    assert record.data.counts.train == (20, 20)
    assert (record.training.epochs, record.training.unfreeze, record.training.frozen_blocks) == (2, 3, 16)
    assert json.loads((run_folder / "run.json").read_text())["schema"] == 2


def test_the_history_has_one_entry_per_epoch_with_the_learning_rate_falling(run_folder: Path) -> None:
    run = read_run(run_folder)

    assert [epoch.epoch for epoch in run.history.epochs] == [1, 2]
    assert run.history.epochs[0].learning_rate > run.history.epochs[1].learning_rate
    assert run.history.best_epoch == run.record.training.best_epoch


def test_the_network_read_back_gives_the_figures_of_the_record(run_folder: Path) -> None:
    run = read_run(run_folder)

    network = run.network()
    logits = predict(network, run.images.test.images, "", Silent())

    assert not network.training
    assert (logits.argmax(1) == run.images.test.labels).mean() == pytest.approx(
        run.record.metrics.test.accuracy.value
    )


def test_images_are_stored_at_network_size_and_calibration_images_come_from_training(
    run_folder: Path,
) -> None:
    from models.resizing import resize_all

    images = read_run(run_folder).images
    arrays = {key: resize_all(value, 32) for key, value in medmnist_arrays().items() if "images" in key}

    assert np.array_equal(images.calibration.images, arrays["train_images"])
    assert np.array_equal(images.heldout.images, arrays["val_images"])
    assert np.array_equal(images.test.images, arrays["test_images"])


def test_the_record_states_the_white_of_the_data_and_an_old_one_that_of_16_bits(tmp_path: Path) -> None:
    arrays = {
        key: value.astype(np.uint16) * 13 if "images" in key else value
        for key, value in medmnist_arrays().items()
    }
    save_npz(tmp_path / "deep.npz", arrays)
    (tmp_path / "run").mkdir()
    options = FinetuneOptions(str(tmp_path / "deep.npz"), weights="none", image_size=32, epochs=1, unfreeze=0)

    record = finetune(options, tmp_path / "run", Silent(), "edgefit 9.9", "deep", CREATED)

    assert record.preprocessing.sixteen_bit_divide_by == 4095 / 255
    assert record.preprocessing.orientation == "applied"
    old = Preprocessing.model_validate({})
    assert (old.sixteen_bit_divide_by, old.orientation) == (257, "ignored")


def test_a_seed_decides_the_weights_to_the_bit(made: tuple[Path, Remembering], tmp_path: Path) -> None:
    digests = []
    for number, seed in enumerate((0, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        finetune(replace(options_for(made), seed=seed), folder, Silent(), "edgefit 9.9", "films", CREATED)
        digests.append(hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest())

    first = read_run(made[0] / "run").record.files["model.safetensors"]
    assert digests[0] == first
    assert digests[1] != first


def test_fine_tuning_does_not_change_the_callers_random_state(
    made: tuple[Path, Remembering], tmp_path: Path
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)

    finetune(replace(options_for(made), epochs=1), tmp_path, Silent(), "edgefit 9.9", "films", CREATED)

    assert torch.rand(4).equal(expected)


def test_a_run_can_be_starting_weights_with_its_head(
    made: tuple[Path, Remembering], tmp_path: Path, progress: Remembering
) -> None:
    weights = str(made[0] / "run" / "model.safetensors")
    options = replace(options_for(made), weights=weights, epochs=1)

    record = finetune(options, tmp_path, progress, "edgefit 9.9", "again", CREATED)

    assert record.weights.head_kept
    assert record.weights.name == "model.safetensors"
    assert any("model.safetensors" in sentence and "head" in sentence for sentence in progress.sentences)


def test_what_was_done_to_a_checkpoint_is_shown_and_recorded(
    made: tuple[Path, Remembering], tmp_path: Path, progress: Remembering
) -> None:
    state = load_file(made[0] / "run" / "model.safetensors")
    wrapped = {f"module.{name}": value for name, value in state.items() if "classifier" not in name}
    torch.save({"state_dict": wrapped, "best_acc1": np.float64(0.9)}, tmp_path / "best.ckpt")
    (tmp_path / "run").mkdir()
    options = replace(options_for(made), weights=str(tmp_path / "best.ckpt"), epochs=1)

    finetune(options, tmp_path / "run", progress, "edgefit 9.9", "again", CREATED)

    notes = read_run(tmp_path / "run").record.weights.notes
    assert notes == (
        "The weights under 'state_dict' were used.",
        f"The prefix 'module.' was removed from {len(wrapped)} names.",
        "The features of best.ckpt were taken, and the head is new: the file has no 'classifier.1.weight'.",
    )
    assert set(notes) <= set(progress.sentences)


def test_three_classes_of_coloured_images_make_a_run_too(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("blue", "green", "red"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(15):
            pixels = random.integers(0, 99, (32, 32, 3), np.uint8)
            pixels[..., ("red", "green", "blue").index(name)] += 150
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
    (tmp_path / "run").mkdir()
    options = FinetuneOptions(str(tmp_path / "data"), weights="none", image_size=32, epochs=1, unfreeze=1)

    finetune(options, tmp_path / "run", Silent(), "edgefit 9.9", "colours", CREATED)

    run = read_run(tmp_path / "run")
    assert run.record.classes == ("blue", "green", "red")
    assert run.images.test.images.shape == (9, 32, 32, 3)
    assert run.record.metrics.test.sensitivity is None
    assert len(run.record.metrics.test.confusion) == 3
    assert predict(run.network(), run.images.test.images, "", Silent()).shape == (9, 3)


def test_decisions_are_shown(made: tuple[Path, Remembering]) -> None:
    sentences = " ".join(made[1].sentences)

    assert "40 training, 20 validation, 20 test" in sentences
    assert "Starting weights: none" in sentences
    assert "last 3 of 19 feature blocks" in sentences
    assert "Epoch 2/2" in sentences


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"image_size": 31}, "--image-size 31"),
        ({"image_size": 2000}, "--image-size 2000"),
        ({"epochs": 0}, "--epochs 0"),
        ({"unfreeze": 20}, "--unfreeze 20"),
        ({"unfreeze": -1}, "--unfreeze -1"),
        ({"seed": -1}, "--seed -1"),
        ({"arch": "resnet"}, "--arch resnet"),
        ({"weights": "nowhere.pth"}, "--weights nowhere.pth"),
        ({"data": "nowhere"}, "--data nowhere"),
        ({"data": "synthetic", "images": 3}, "--images 3"),
    ],
)
def test_an_option_out_of_range_is_an_error_before_any_work(
    made: tuple[Path, Remembering], tmp_path: Path, progress: Remembering, changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        finetune(replace(options_for(made), **changed), tmp_path, progress, "edgefit 9.9", "films", CREATED)

    assert progress.tasks == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_run_json_is_an_error(run_folder: Path) -> None:
    (run_folder / "run.json").unlink()

    with pytest.raises(InputError, match=r"run\.json is missing"):
        read_run(run_folder)


@pytest.mark.parametrize("name", ["model.safetensors", "history.json", "images.npz"])
def test_one_changed_byte_is_an_error_that_names_the_file(run_folder: Path, name: str) -> None:
    content = bytearray((run_folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run_folder / name).write_bytes(content)

    with pytest.raises(InputError, match=f"{name} was changed"):
        read_run(run_folder)


@pytest.mark.parametrize("name", ["model.safetensors", "history.json", "images.npz"])
def test_a_missing_file_is_an_error_that_names_it(run_folder: Path, name: str) -> None:
    (run_folder / name).unlink()

    with pytest.raises(InputError, match=f"{name} is missing"):
        read_run(run_folder)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("schema", 3, "was written by a newer edgefit"),
        ("image_size", "32", "key 'image_size'"),
        ("colour", 1, "key 'colour'"),
    ],
)
def test_a_record_of_another_shape_is_an_error_that_names_the_key(
    run_folder: Path, key: str, value: int | str, expected: str
) -> None:
    record = json.loads((run_folder / "run.json").read_text())
    (run_folder / "run.json").write_text(json.dumps({**record, key: value}))

    with pytest.raises(InputError, match=expected):
        read_run(run_folder)


def test_a_record_that_is_not_json_is_an_error(run_folder: Path) -> None:
    (run_folder / "run.json").write_text("{")

    with pytest.raises(InputError, match=r"run\.json"):
        read_run(run_folder)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000])
def test_a_record_nested_too_deep_is_an_error(run_folder: Path, content: str) -> None:
    (run_folder / "run.json").write_text(content)

    with pytest.raises(InputError, match=r"run\.json is not valid JSON .*; run finetune again") as caught:
        read_run(run_folder)

    assert "\n" not in str(caught.value)
    assert written_files(run_folder) is None


def vouch(folder: Path, name: str, content: bytes) -> None:
    """Replace a file as someone would who corrects the hash too."""
    (folder / name).write_bytes(content)
    record = json.loads((folder / "run.json").read_text())
    record["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / "run.json").write_text(json.dumps(record))


def test_a_run_of_before_does_not_state_its_positive_class_which_is_label_1(run_folder: Path) -> None:
    record = json.loads((run_folder / "run.json").read_text())
    assert record.pop("positive_class") is not None
    (run_folder / "run.json").write_text(json.dumps(record))

    read = read_run(run_folder).record

    assert (read.positive_class, read.positive) == (None, 1)
    assert read.positive_name == read.classes[1]


def test_a_positive_class_that_the_run_does_not_have_is_an_error(run_folder: Path) -> None:
    edit(run_folder, positive_class=2)

    with pytest.raises(InputError, match="'positive_class' is 2, which is not the label of one of the 2"):
        read_run(run_folder)


def edit(folder: Path, **changed: object) -> None:
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, **changed}))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"arch": "resnet"}, r"run\.json: the key 'arch' is 'resnet', which is not a known"),
        ({"classes": ["0"]}, r"run\.json: the key 'classes' names 1 classes"),
        ({"classes": ["0", "1", "2"]}, r"images\.npz has no test image of class 2 \('2'\)"),
        ({"image_size": 64}, r"images\.npz: calibration_images is uint8 \[40, 32, 32\]"),
    ],
)
def test_a_record_edited_so_that_it_does_not_fit_the_images_is_an_error(
    run_folder: Path, changed: dict[str, Any], expected: str
) -> None:
    edit(run_folder, **changed)

    with pytest.raises(InputError, match=expected):
        read_run(run_folder)


@pytest.mark.parametrize("content", [b"garbage", b""])
def test_damaged_images_are_an_error_even_with_the_right_hash(run_folder: Path, content: bytes) -> None:
    vouch(run_folder, "images.npz", content)

    with pytest.raises(InputError, match=r"images\.npz does not contain the images"):
        read_run(run_folder)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"test_labels": np.full(20, 7)}, "test_labels: 7 is not a label of the 2 classes"),
        ({"test_labels": np.zeros((20, 1), np.int64)}, "test_labels is int64"),
        ({"heldout_images": np.zeros((20, 32, 32), np.float32)}, "heldout_images is float32"),
        ({"heldout_images": np.zeros((3, 32, 32), np.uint8)}, "heldout_images is uint8"),
    ],
)
def test_images_of_another_shape_or_kind_are_an_error_that_names_the_array(
    run_folder: Path, changed: dict[str, Any], expected: str
) -> None:
    with np.load(run_folder / "images.npz") as archive:
        arrays = {key: archive[key] for key in archive.files if key != "allow_pickle"}
    stream = io.BytesIO()
    save_npz(stream, {**arrays, **changed})
    vouch(run_folder, "images.npz", stream.getvalue())

    with pytest.raises(InputError, match=expected):
        read_run(run_folder)


def test_damaged_or_other_weights_are_an_error_even_with_the_right_hash(run_folder: Path) -> None:
    three_classes = find_architecture("mobilenet_v2").build(3).state_dict()
    for content in (b"garbage", save(three_classes)):
        vouch(run_folder, "model.safetensors", content)
        run = read_run(run_folder)

        with pytest.raises(
            InputError, match=r"model\.safetensors does not contain the weights of a mobilenet_v2 with 2"
        ):
            run.network()
