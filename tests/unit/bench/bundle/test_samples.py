"""Samples of data become the inputs of a model: names, shapes, types, and how many."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from bench.bundle.samples import MOST_INFERENCES, MatchedInputs, Sample, match_samples
from bench.bundle.signature import UNKNOWN_DTYPE, Shapes, StatedInput, Tensor
from bench.errors import InputError

Array = npt.NDArray[np.generic]
IMAGE = Tensor(name="image", dtype="float32", shape=("N", 3, 4, 4))
IDS = Tensor(name="ids", dtype="int64", shape=(1, 4))
OPEN = Tensor(name="x", dtype=UNKNOWN_DTYPE, shape=None)


def floats(*shape: int) -> npt.NDArray[np.float32]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def match(
    tensors: list[Tensor],
    *samples: Mapping[str, Array],
    shapes: Shapes | None = None,
    is_labelled: bool = False,
) -> MatchedInputs:
    items = [Sample(f"item {index}", arrays, is_labelled) for index, arrays in enumerate(samples)]
    return match_samples("m", tensors, shapes or {}, items)


def test_each_sample_is_an_inference() -> None:
    matched = match([IMAGE], {"image": floats(1, 3, 4, 4)}, {"image": floats(1, 3, 4, 4) + 1})

    assert len(matched.pack) == 2
    assert matched.inputs[0].shape == (1, 3, 4, 4)
    assert matched.notes == ()
    assert np.array_equal(matched.pack.inputs(1)[0], floats(1, 3, 4, 4) + 1)


@pytest.mark.parametrize("shape", [(5, 3, 4, 4), (5, 1, 3, 4, 4)])
def test_an_array_may_hold_several_inferences_along_its_first_axis(shape: tuple[int, ...]) -> None:
    matched = match([IMAGE], {"image": floats(*shape)})

    assert len(matched.pack) == 5
    assert matched.inputs[0].shape == (1, 3, 4, 4)


def test_an_axis_of_one_item_may_be_missing() -> None:
    assert match([IMAGE], {"image": floats(3, 4, 4)}).inputs[0].shape == (1, 3, 4, 4)


def test_a_fixed_batch_takes_as_many_items_as_it_has() -> None:
    batch = Tensor(name="image", dtype="float32", shape=(2, 3))

    assert len(match([batch], {"image": floats(6, 3)}).pack) == 3
    with pytest.raises(InputError, match=r"item 0 has the shape \[5, 3\] for the input image: "):
        match([batch], {"image": floats(5, 3)})


def test_an_array_without_a_name_is_for_the_only_input() -> None:
    assert len(match([IMAGE], {"": floats(1, 3, 4, 4)}).pack) == 1
    with pytest.raises(InputError, match=r"no data for the input 'image'; it has one array without a name"):
        match([IMAGE, IDS], {"": floats(1, 3, 4, 4)})


def test_a_name_that_no_input_has_is_refused_or_noted() -> None:
    with pytest.raises(InputError, match=r"^m: item 0 has no data for the input 'image'; it has 'img'; "):
        match([IMAGE], {"img": floats(1, 3, 4, 4)})

    matched = match([IMAGE], {"image": floats(1, 3, 4, 4), "label": floats(1)})

    assert matched.notes == ("its array 'label' is not used, because no input has this name",)


def test_another_type_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"has float64 for the input 'image', which takes float32; "):
        match([IMAGE], {"image": floats(1, 3, 4, 4).astype(np.float64)})


def test_a_type_that_the_file_does_not_state_is_that_of_the_data() -> None:
    matched = match([OPEN], {"x": np.zeros((1, 4), dtype=np.int64)})

    assert (matched.inputs[0].dtype, matched.inputs[0].shape) == ("int64", (1, 4))
    with pytest.raises(InputError, match="which takes float32"):
        match([OPEN], {"x": np.zeros((1, 4), dtype=np.int64)}, shapes={"x": StatedInput((1, 4), "float32")})


def test_a_stated_shape_decides_how_data_is_split() -> None:
    assert len(match([IMAGE], {"image": floats(8, 3, 4, 4)}, shapes={"image": (4, 3, 4, 4)}).pack) == 2


def test_samples_of_different_shapes_are_refused() -> None:
    resizable = Tensor(name="image", dtype="float32", shape=(1, 3, "H", "W"))

    with pytest.raises(InputError, match=r"item 1 has float32 \[1, 3, 4, 5\] for the input 'image'"):
        match([resizable], {"image": floats(1, 3, 4, 4)}, {"image": floats(1, 3, 4, 5)})


def test_an_input_with_one_value_is_given_to_every_inference() -> None:
    scale = Tensor(name="scale", dtype="float32", shape=())

    matched = match([IMAGE, scale], {"image": floats(3, 3, 4, 4), "scale": np.array(2, dtype=np.float32)})

    assert [matched.pack.inputs(index)[1].item() for index in range(3)] == [2, 2, 2]


def test_inputs_with_different_numbers_of_values_are_refused() -> None:
    with pytest.raises(InputError, match=r"has 2 values for the input 'ids', and 3 for another"):
        match([IMAGE, IDS], {"image": floats(3, 3, 4, 4), "ids": np.zeros((2, 4), dtype=np.int64)})


def test_only_the_first_inputs_are_used_and_that_is_said() -> None:
    matched = match([IMAGE], {"image": floats(MOST_INFERENCES + 1, 3, 4, 4)})

    assert len(matched.pack) == MOST_INFERENCES
    assert matched.notes == (f"only the first {MOST_INFERENCES} inputs are used",)
    assert match([IMAGE], {"image": floats(MOST_INFERENCES, 3, 4, 4)}).notes == ()


def test_labels_are_said_to_be_ignored() -> None:
    assert "labels are not used" in match([IMAGE], {"image": floats(1, 3, 4, 4)}, is_labelled=True).notes[0]


def test_data_without_a_sample_is_refused() -> None:
    for samples in ((), ({"image": floats(0, 1, 3, 4, 4)},)):
        with pytest.raises(InputError, match="the data has no sample"):
            match([IMAGE], *samples)


def test_a_model_without_inputs_takes_no_data() -> None:
    with pytest.raises(InputError, match="takes no input; measure it without --data"):
        match([], {"x": floats(1)})
