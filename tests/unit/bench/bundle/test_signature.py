"""What a model takes and gives: fixed shapes, the messages that ask for them, layouts and batches."""

import pytest

from bench.bundle.signature import (
    UNKNOWN_DTYPE,
    StatedInput,
    Tensor,
    batch_of,
    image_input,
    refuse_huge,
    with_shapes,
)
from bench.errors import InputError


def tensor(*shape: int | str, name: str = "images", dtype: str = "float32") -> Tensor:
    return Tensor(name=name, dtype=dtype, shape=shape)


def shapes_of(tensors: tuple[Tensor, ...]) -> list[tuple[int, ...]]:
    return [each.sizes for each in tensors]


def test_an_open_first_axis_becomes_one_item() -> None:
    assert shapes_of(with_shapes("m", [tensor("N", 3, 8, 8)], {})) == [(1, 3, 8, 8)]


def test_a_scalar_and_a_vector_of_open_length_are_fixed() -> None:
    assert shapes_of(with_shapes("m", [tensor(), tensor("n", name="x")], {})) == [(), (1,)]


def test_another_open_axis_is_asked_for_with_the_files_own_sizes() -> None:
    with pytest.raises(InputError) as error:
        with_shapes("a/model.onnx", [tensor("N", 3, "H", "W")], {})

    assert str(error.value) == (
        "a/model.onnx: leaves the shape of an input open (images: float32 [1, 3, H, W]); state it, such as: "
        "--shape images:1x3x224x224"
    )


@pytest.mark.parametrize(
    ("shape", "example"),
    [
        (("?", "h", "w", 3), "1x224x224x3"),
        ((1, "length"), "1x1"),
        (("N", "C", "H", "W"), "1x3x224x224"),
    ],
)
def test_the_example_has_the_layout_of_the_input(shape: tuple[int | str, ...], example: str) -> None:
    with pytest.raises(InputError, match=rf"--shape images:{example}$"):
        with_shapes("m", [tensor(*shape)], {})


def test_every_open_input_is_asked_for_in_one_message() -> None:
    with pytest.raises(InputError, match=r"--shape a:1x1 --shape b:1x3x224x224$"):
        with_shapes("m", [tensor(1, "n", name="a"), Tensor(name="b", dtype="float32", shape=None)], {})


def test_a_stated_shape_fills_the_open_axes() -> None:
    stated = {"images": (2, 3, 32, 48)}

    assert shapes_of(with_shapes("m", [tensor("N", 3, "H", "W")], stated)) == [(2, 3, 32, 48)]


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 8, 8), (1, 3, 8, 8, 1)])
def test_a_stated_shape_that_contradicts_the_file_is_refused(shape: tuple[int, ...]) -> None:
    words = "x".join(map(str, shape))

    with pytest.raises(
        InputError, match=rf"^m: --shape images:{words} does not fit the input images: float32"
    ):
        with_shapes("m", [tensor("N", 3, 8, 8)], {"images": shape})


def test_inputs_that_no_memory_holds_are_refused_before_they_are_made() -> None:
    open_axes = Tensor(name="x", dtype="float32", shape=(1, 3, "height", "width"))
    huge = with_shapes("m.onnx", [open_axes], {"x": (1, 3, 100_000, 100_000)})

    with pytest.raises(
        InputError, match=r"^m\.onnx: the inputs of one inference take 112 GiB .* smaller --shape$"
    ):
        refuse_huge("m.onnx", huge)


def test_a_shape_for_an_unknown_input_lists_the_inputs() -> None:
    with pytest.raises(InputError, match=r"has no input 'x', which --shape names; its inputs are: images$"):
        with_shapes("m", [tensor(1, 3, 8, 8)], {"x": (1,)})


def test_a_type_that_the_file_does_not_state_is_float32_or_what_is_stated() -> None:
    open_input = Tensor(name="ids", dtype=UNKNOWN_DTYPE, shape=None)

    usual = with_shapes("m", [open_input], {"ids": (1, 4)})
    stated = with_shapes("m", [open_input], {"ids": StatedInput((1, 4), "int64")})

    assert [each.dtype for each in (*usual, *stated)] == ["float32", "int64"]


def test_a_stated_type_that_contradicts_the_file_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"--shape images:1x3:int64 does not fit the input images: float32 \[1, 3\]"
    ):
        with_shapes("m", [tensor(1, 3)], {"images": StatedInput((1, 3), "int64")})


@pytest.mark.parametrize(
    "dtype", ["bfloat16", "str", "seq(tensor(float))", "List[Tensor], no tensor", "float8e4m3fn"]
)
def test_an_input_that_numpy_has_no_type_for_is_refused(dtype: str) -> None:
    with pytest.raises(InputError) as error:
        with_shapes("m", [tensor(1, dtype=dtype)], {})

    assert str(error.value).startswith(
        f"m: the input 'images' takes {dtype}; edgefit gives a model tensors of "
    )


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1, 3, 8, 8), "NCHW"),
        ((1, 8, 8, 1), "NHWC"),
        ((1, 3, 8, 3), None),
        ((1, 4, 8, 8), None),
        ((3, 8, 8), None),
        (("N", 3, "H", "W"), "NCHW"),
    ],
)
def test_the_layout_is_that_of_the_axis_with_one_or_three_channels(
    shape: tuple[int | str, ...], layout: str | None
) -> None:
    assert tensor(*shape).layout == layout


def test_the_batch_is_the_first_axis_that_all_have_in_common() -> None:
    image, logits = tensor(8, 3, 8, 8), tensor(8, 5, name="logits")

    assert batch_of([image], [logits]) == 8
    assert batch_of([image, tensor(1, 4, name="other")], [logits]) == 1
    assert batch_of([image], [tensor("N", 5, name="logits")]) == 8
    assert batch_of([], [tensor(name="scalar")]) == 1


def test_a_tensor_is_described_as_people_write_it() -> None:
    assert image_input(96).words == "image: float32 [1, 3, 96, 96]"
    assert Tensor(name="x", dtype=UNKNOWN_DTYPE, shape=None).words == "x: an unknown type of an unknown shape"


def test_the_bytes_of_a_tensor_are_those_of_its_type() -> None:
    assert tensor(1, 3, 2, 2, dtype="float16").bytes_each == 24
