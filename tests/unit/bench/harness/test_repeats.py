"""New inputs are made of known ones, and no model that relies on the order of whole numbers gets others."""

import numpy as np

from bench.harness.repeats import changed


def test_a_changed_input_has_the_same_values_shape_and_type_in_another_order() -> None:
    for dtype in (np.float32, np.float64, np.float16, np.uint8):
        array = np.arange(24, dtype=dtype).reshape(1, 2, 3, 4)

        made = [changed([array], places) for places in range(1, 17)]

        for inputs in made:
            assert inputs is not None
            assert (inputs[0].shape, inputs[0].dtype) == (array.shape, array.dtype)
            assert inputs[0].flags.c_contiguous
            assert sorted(inputs[0].ravel()) == sorted(array.ravel())
        assert len({inputs[0].tobytes() for inputs in made if inputs is not None} | {array.tobytes()}) == 17


def test_whole_numbers_stay_as_they_are_beside_an_input_that_changes() -> None:
    tokens, values = np.arange(6, dtype=np.int64), np.arange(6, dtype=np.float32)

    made = changed([tokens, values], 1)

    assert made is not None
    assert made[0] is tokens
    assert made[1].tolist() == [5, 0, 1, 2, 3, 4]


def test_what_cannot_be_changed_is_no_new_input() -> None:
    assert changed([np.arange(6, dtype=np.int64)], 1) is None
    assert changed([np.zeros((1, 3, 4, 4), np.float32)], 1) is None
    assert changed([np.array(1.0, np.float32)], 1) is None
    assert changed([], 1) is None
