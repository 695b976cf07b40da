"""Protocol Buffers are read without their package."""

import pytest
from onnx import AttributeProto, TensorProto

from bench.bundle.protobuf import (
    LENGTH,
    VARINT,
    DamagedMessageError,
    Field,
    fields_of,
    numbers_of,
    text_of,
    whole_message,
)


def _fields(content: bytes) -> list[Field]:
    return list(fields_of(content, whole_message(content)))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 1 << 40, -1, -(1 << 62)])
def test_a_number_has_its_sign(number: int) -> None:
    content = AttributeProto(i=number).SerializeToString()
    (field,) = _fields(content)

    assert (field.number, field.written) == (3, VARINT)
    assert list(numbers_of(content, field)) == [number]


def test_packed_numbers_are_read_one_by_one() -> None:
    content = TensorProto(int64_data=[3, -2, 1 << 33]).SerializeToString()
    (field,) = _fields(content)

    assert field.written == LENGTH
    assert list(numbers_of(content, field)) == [3, -2, 1 << 33]


def test_a_text_may_be_longer_than_any_path() -> None:
    content = TensorProto(doc_string="ä" * 100_000).SerializeToString()

    assert text_of(content, _fields(content)[0]) == "ä" * 100_000


def test_a_field_that_is_cut_off_is_named() -> None:
    content = TensorProto(raw_data=b"12345678").SerializeToString()[:-1]

    with pytest.raises(DamagedMessageError) as caught:
        _fields(content)

    assert caught.value.field == Field(9, LENGTH, 2, 10)


@pytest.mark.parametrize("content", [b"\x00", b"\x07", b"\x80", b"\x08\xff"])
def test_what_is_no_field_is_damage(content: bytes) -> None:
    with pytest.raises(DamagedMessageError) as caught:
        _fields(content)

    assert caught.value.field is None
