"""FlatBuffers are read by the numbers of their fields, and a damaged one is nothing but damaged."""

import struct

import pytest

from bench.bundle.flatbuffer import SHORT, UBYTE, ULONG, DamagedTableError, StoredTable, root_table


def buffer(*fields: bytes, vtable: tuple[int, ...]) -> bytes:
    """A buffer with one table: the root's offset, the vtable, the table and what it refers to."""
    entries = struct.pack(f"<HH{len(vtable)}H", 4 + 2 * len(vtable), 4 + sum(map(len, fields)), *vtable)
    entries += b"\0" * (-len(entries) % 4)
    start = 4 + len(entries)
    return struct.pack("<I", start) + entries + struct.pack("<i", len(entries)) + b"".join(fields)


WITH_NUMBERS = root_table(
    buffer(struct.pack("<h", -7), b"\0\0", struct.pack("<Q", 1 << 40), vtable=(4, 0, 8, 8))
)
# A vector of three numbers, of which the first is a reference to itself.
WITH_TEXT = root_table(buffer(struct.pack("<I", 4), struct.pack("<I", 5), b"hello\0\0\0", vtable=(4,)))


def test_a_number_is_read_as_its_type_says_and_a_field_that_is_left_out_has_its_default() -> None:
    assert WITH_NUMBERS.number(0, SHORT) == -7
    assert WITH_NUMBERS.number(2, ULONG) == 1 << 40
    assert WITH_NUMBERS.number(1, UBYTE, default=3) == 3
    assert WITH_NUMBERS.number(9) == 0


def test_text_bytes_and_vectors_begin_with_their_length() -> None:
    assert WITH_TEXT.text(0) == "hello"
    assert WITH_TEXT.bytes_of(0) == b"hello"
    assert WITH_TEXT.numbers(0, UBYTE) == tuple(b"hello")
    assert (WITH_TEXT.text(3), WITH_TEXT.numbers(3), WITH_TEXT.tables(3), WITH_TEXT.table(3)) == (
        "",
        (),
        [],
        None,
    )


@pytest.mark.parametrize("length", range(len(WITH_TEXT.content) - 3))
def test_a_buffer_that_was_cut_off_is_damaged(length: int) -> None:
    with pytest.raises(DamagedTableError, match="damaged; copy, download or export it again"):
        root_table(WITH_TEXT.content[:length]).text(0)


def test_a_table_outside_of_its_buffer_is_damaged() -> None:
    with pytest.raises(DamagedTableError):
        StoredTable(b"\0" * 8, -4).number(0)
    with pytest.raises(DamagedTableError):
        WITH_TEXT.numbers(0, ULONG)
