"""Recognises a web page by its beginning, which is often saved where a file was to be downloaded."""

import re

_HTML_ROOT = re.compile(rb"<(!doctype html|html|head|body)\b", re.IGNORECASE)
_XML_PROLOG = ((b"<!--", b"-->"), (b"<?", b"?>"), (b"<!", b">"))


def is_web_page(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is HTML, in whatever encoding of text."""
    return _HTML_ROOT.match(without_prolog(without_encoding(head))) is not None


def without_prolog(head: bytes) -> bytes:
    """Return XML without what may stand before its root element; the document type of HTML stays."""
    head = head.lstrip()
    while not _HTML_ROOT.match(head):
        end = next((end for begin, end in _XML_PROLOG if head.startswith(begin)), None)
        if end is None:
            break
        head = head.partition(end)[2].lstrip()
    return head


def without_encoding(head: bytes) -> bytes:
    """Return text of any encoding as ASCII has it, as far as it is ASCII."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\0", b"")
    return head.removeprefix(b"\xef\xbb\xbf")
