"""A user's function yields ready inputs, with labels or without; few of many are kept."""

from pathlib import Path

import numpy as np
import pytest

from bench.bundle.signature import Tensor
from bench.errors import InputError
from export.data.finding import DataOptions, find_data
from export.data.listing import SampleLimits
from export.data.tensors import LabelledTensors

INPUT = Tensor(name="x", dtype="float32", shape=("batch", 2, 3))
HEAD = "import numpy as np\nrandom = np.random.default_rng(0)\ndef x(*shape):\n"
HEAD += "    return random.random(shape or (2, 3), dtype=np.float32)\ndef load_data():\n"


def loaded(
    tmp_path: Path,
    body: str,
    *classes: str,
    inputs: tuple[Tensor, ...] = (INPUT,),
    limits: SampleLimits | None = None,
) -> LabelledTensors:
    path = tmp_path / "loader.py"
    path.write_text(HEAD + body)
    found = find_data(
        f"{path}:load_data", DataOptions(classes=classes, inputs=inputs, limits=limits or SampleLimits())
    )
    assert isinstance(found, LabelledTensors)
    return found


def test_pairs_are_inputs_and_classes(tmp_path: Path) -> None:
    found = loaded(tmp_path, "    for i in range(60):\n        yield {'x': x()}, i % 3\n")
    assert found.name == "loader.py:load_data"
    assert found.inputs[0].shape == (1, 2, 3)
    assert found.pack.arrays[0].shape == (60, 1, 2, 3)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2] * 20
    every = np.concatenate([found.calibration, found.held_out, found.evaluation])
    assert sorted(every.tolist()) == list(range(60))
    assert set(found.labels[found.evaluation[:3]].tolist()) == {0, 1, 2}


def test_inputs_alone_have_no_labels(tmp_path: Path) -> None:
    found = loaded(tmp_path, "    for i in range(30):\n        yield {'x': x()}\n")
    assert found.labels is None


def test_a_vector_of_zero_and_one_is_several_labels(tmp_path: Path) -> None:
    found = loaded(tmp_path, "    for i in range(30):\n        yield {'x': x()}, [i % 2, 1, 0]\n")
    assert found.labels is not None
    assert found.labels[:2].tolist() == [[0, 1, 0], [1, 1, 0]]


def test_a_batch_with_a_label_each_is_taken_apart(tmp_path: Path) -> None:
    found = loaded(tmp_path, "    for i in range(6):\n        yield x(5, 2, 3), np.arange(5)\n")
    assert found.pack.arrays[0].shape == (30, 1, 2, 3)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 3, 4] * 6


def test_of_a_batch_of_a_fixed_size_the_first_label_is_used(tmp_path: Path) -> None:
    fixed = INPUT.model_copy(update={"shape": (4, 2, 3)})
    body = "    for i in range(20):\n        yield x(4, 2, 3), [i % 2, 5, 5, 5]\n"
    found = loaded(tmp_path, body, inputs=(fixed,))
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1] * 10


def test_a_vector_of_labels_for_a_batch_of_several_is_not_taken_for_classes(tmp_path: Path) -> None:
    body = "    for i in range(40):\n        yield {'x': x(2, 2, 3)}, [0, 1, 0, 1]\n"

    with pytest.raises(InputError, match=r"has 2 inputs, and a label of the shape \[4\]"):
        loaded(tmp_path, body)


def test_of_an_endless_loader_a_random_part_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.data.loader.MOST_EXAMINED", 400)
    body = "    i = 0\n    while True:\n        yield {'x': np.full((2, 3), i, np.float32)}, int(i >= 200)\n"
    found = loaded(
        tmp_path, body + "        i += 1\n", limits=SampleLimits(calibration=20, held_out=20, evaluation=20)
    )
    assert len(found.pack) == 60
    assert found.labels is not None
    assert 15 < found.labels.sum() < 45
    assert np.array_equal(found.labels, found.pack.arrays[0][:, 0, 0, 0] >= 200)
    assert "60 of the first 400 samples were drawn at random." in found.notes


def test_equal_samples_count_once(tmp_path: Path) -> None:
    body = "    for i in range(60):\n        yield {'x': np.full((2, 3), i % 20, np.float32)}, i % 2\n"
    found = loaded(tmp_path, body)
    assert len(found.pack) == 20
    assert "Equal samples count once: 40 left out." in found.notes


def test_a_folder_of_arrays_has_no_labels(tmp_path: Path) -> None:
    for number in range(14):
        np.save(tmp_path / f"{number}.npy", np.full((2, 3), number, np.float32))
    found = find_data(str(tmp_path), DataOptions(inputs=(INPUT,)))
    assert isinstance(found, LabelledTensors)
    assert len(found.pack) == 14
    assert found.labels is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    raise ValueError('no disk')\n", "raised ValueError: no disk"),
        ("    yield {'x': x()}, 1\n    raise SystemExit(3)\n", "raised SystemExit: 3"),
        ("    return []\n", "has no sample; yield"),
        ("    yield {'x': x()}, 1\n    yield {'x': x()}\n", "item 1 .*has no label, unlike those before it"),
        ("    yield {'x': x(4, 4)}, 1\n", r"has the shape \[4, 4\]"),
        ("    yield {'y': x()}, 1\n", "no data for the input 'x'"),
        ("    yield {'x': x().astype(int)}, 1\n", "takes float32; convert it"),
        ("    yield {'x': x()}, 'ill'\n", "its label is 'ill'; a label is the number of a class"),
        ("    yield {'x': x()}, 0.5\n", "its label is 0.5"),
        ("    yield {'x': x()}, -1\n", "its label is -1"),
        ("    yield {'x': x()}, [0, 2]\n", r"its label is \[0, 2\]"),
        ("    yield {'x': x()}, None\n", "its label is None"),
        ("    yield {'x': x()}, [0, 1]\n    yield {'x': x()}, [0, 1, 1]\n", "its label has the shape"),
        ("    yield x(5, 2, 3), [0, 1]\n", "has 5 inputs, and a label of the shape"),
        ("    yield {'x': x()}, 1\n", "of its 1 samples"),
    ],
)
def test_a_loader_that_does_not_fit_is_one_error(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        loaded(tmp_path, body)


def test_shapes_that_change_are_refused(tmp_path: Path) -> None:
    open_input = INPUT.model_copy(update={"shape": ("batch", "rows", 3)})
    with pytest.raises(InputError, match="give all of one shape and type"):
        loaded(tmp_path, "    yield {'x': x()}\n    yield {'x': x(4, 3)}\n", inputs=(open_input,))


def test_labels_beyond_the_stated_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"labels up to 2, and 2 classes are named \(a, b\)"):
        loaded(tmp_path, "    for i in range(30):\n        yield {'x': x()}, i % 3\n", "a", "b")
