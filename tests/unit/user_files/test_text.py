"""Text is read as editors and shells of every system write it, and what is no text is refused."""

import codecs

import pytest

from user_files.text import TextError, text_of, utf8_of

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("text", ["", "path,label\r\nfilms/ü.png,a\r\n", '{"schema": 2}', "gesund\nkrank"])
def test_text_is_read_in_every_encoding_of_unicode(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding)) == text
    assert utf8_of(text.encode(encoding)) == text.encode()


def test_both_byte_orders_are_read_with_their_marks() -> None:
    assert text_of(codecs.BOM_UTF16_BE + "ab".encode("utf-16-be")) == "ab"
    assert text_of(codecs.BOM_UTF16_LE + "ab".encode("utf-16-le")) == "ab"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("gesund\nunauffällig".encode("latin-1"), r"byte 0xe4 in line 2\); save it as UTF-8"),
        (codecs.BOM_UTF16_LE + b"a\0b", "damaged text in UTF-16"),
        (b"ab\x00\x01cd", "zero bytes"),
    ],
)
def test_what_is_no_text_is_an_error_with_the_remedy(content: bytes, said: str) -> None:
    with pytest.raises(TextError, match=said):
        text_of(content)


def test_what_is_no_text_is_left_to_the_reader_of_json() -> None:
    content = codecs.BOM_UTF16_LE + b"a\0b"
    assert utf8_of(content) == content
