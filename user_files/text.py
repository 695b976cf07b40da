"""Reads text as editors and shells of every system write it: UTF-8, UTF-16 or UTF-32, with or without a mark.

PowerShell's `>` writes UTF-16, and Notepad a byte-order mark. Text in another encoding is refused.
"""

import json


class TextError(ValueError):
    """Bytes that are no text in Unicode; the message says which, and what to do."""


def text_of(content: bytes) -> str:
    """Return a file's content as text, without a byte-order mark. Raises TextError if it is no such text."""
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TextError(_not_unicode(content, error)) from None
    if "\0" in text:
        raise TextError("it holds zero bytes, so it is no text")
    return text


def _not_unicode(content: bytes, error: UnicodeDecodeError) -> str:
    if error.encoding != "utf-8":
        return f"it is damaged text in {error.encoding.upper()}; save it again, as UTF-8"
    line = content.count(b"\n", 0, error.start) + 1
    where = f"byte 0x{content[error.start]:02x} in line {line}"
    return f"it is text neither in UTF-8 nor in UTF-16 ({where}); save it as UTF-8"


def utf8_of(content: bytes) -> bytes:
    """Return text in UTF-8 without a mark, for a reader that takes nothing else. What is no text is returned
    unchanged: the reader says what is wrong with it."""
    try:
        return content if json.detect_encoding(content) == "utf-8" else text_of(content).encode()
    except ValueError:
        return content
