"""The samples of the three sets are read with a progress bar."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from making.pictures import write_pictures
from making.watching import Watching

from bench.bundle.evaluation_pack import read_pack, write_pack
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.signature import Tensor
from bench.errors import InputError
from export.data.finding import DataOptions, find_data
from export.data.reading import export_data
from models.positive import Positive

EIGHT = Preprocess(input_size=(3, 8, 6), resize="squash", mean=(0.0,) * 3, std=(1.0,) * 3, channels="bgr")


def test_images_are_read_with_a_bar(tmp_path: Path, watching: Watching) -> None:
    for name in ("ill", "well"):
        write_pictures(tmp_path / name, 15)
    found = find_data(str(tmp_path))
    data = export_data(found, EIGHT, Positive(1, "It is 'well'."), watching)
    assert (data.classes, data.positive_class, data.name) == (("ill", "well"), 1, tmp_path.name)
    assert [len(data.calibration), len(data.held_out), len(data.evaluation)] == [10, 10, 10]
    assert data.notes[-1] == "It is 'well'."
    assert data.evaluation.images is not None
    assert data.evaluation.images.shape == (10, 8, 6, 3)
    assert data.evaluation.preprocess == EIGHT
    assert data.evaluation.labels is not None
    assert data.evaluation.labels.tolist() == found.labels[found.evaluation].tolist()  # type: ignore[index]
    with pytest.raises(InputError, match="state --preprocess"):
        export_data(found, None, None, watching)


def test_images_are_known_as_the_same_ones_whatever_size_they_are_read_in(
    tmp_path: Path, watching: Watching
) -> None:
    for name in ("ill", "well"):
        write_pictures(tmp_path / "photos" / name, 15)
    pixels = np.arange(60 * 8 * 8, dtype=np.uint16).reshape(60, 8, 8).astype(np.uint8)
    pixels[:, 0, 0] = np.arange(60)
    labels = np.arange(60) % 2
    np.savez(tmp_path / "photos.npz", train_images=pixels, train_labels=labels)
    larger = EIGHT.model_copy(update={"input_size": (3, 12, 12), "resize": "crop"})

    for data in ("photos", "photos.npz"):
        found = find_data(str(tmp_path / data))
        small, large = (export_data(found, size, None, watching) for size in (EIGHT, larger))
        fewer = replace(found, evaluation=found.evaluation[1:])
        assert small.evaluation.sources_sha256 == large.evaluation.sources_sha256 is not None
        other = export_data(fewer, EIGHT, None, watching).evaluation.sources_sha256
        assert other != small.evaluation.sources_sha256


def test_several_labels_and_ready_inputs_travel_in_a_pack(tmp_path: Path, watching: Watching) -> None:
    (tmp_path / "loader.py").write_text(
        "import numpy as np\ndef load_data():\n    for i in range(20):\n"
        "        yield {'x': np.full((1, 2), i, np.float32)}, [i % 2, 1]\n"
    )
    tensor = Tensor(name="x", dtype="float32", shape=(1, 2))
    found = find_data(str(tmp_path / "loader.py"), DataOptions(inputs=(tensor,)))
    samples = export_data(found, None, None, watching).evaluation
    path = tmp_path / "pack.npz"
    write_pack(path, samples.with_reference(np.zeros((len(samples), 2), np.float32)))
    pack = read_pack(path)
    assert pack.labels is not None
    assert [pack.inputs(index)[0][0, 0] % 2 for index in range(len(pack))] == pack.labels[:, 0].tolist()


def test_ready_inputs_are_taken_as_they_are(tmp_path: Path, watching: Watching) -> None:
    for number in range(14):
        np.save(tmp_path / f"{number:02}.npy", np.full((2, 3), number, np.float32))
    tensor = Tensor(name="x", dtype="float32", shape=(1, 2, 3))
    data = export_data(find_data(str(tmp_path), DataOptions(inputs=(tensor,))), None, None, watching)
    assert data.calibration.tensors is not None
    assert data.calibration.tensors.arrays[0].shape == (8, 1, 2, 3)
    assert data.calibration.images is None
    assert data.calibration.labels is None
