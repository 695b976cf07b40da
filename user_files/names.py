"""What makes a text a good name for something that a record holds and every output shows. It opens no file.

Records of earlier versions may hold names that `why_no_name` refuses, as long as they have no character of
`UNWRITABLE`. They are read all the same, and every output shows such characters as Python writes them.
"""

import re

UNWRITABLE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e"
"""The characters that no record takes in a line of text, as between brackets of a regular expression: control
characters, line and paragraph ends, and changes of direction."""
LONGEST = 1000
"""How many characters a line of text has at most in a record."""

_UNWRITABLE = re.compile(rf"[{UNWRITABLE}\ud800-\udfff]")
_LINE_END = re.compile("[\n\r\v\f\x85\u2028\u2029]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# A soft hyphen, zero-width spaces, invisible operators, a byte-order mark, tags. Not the two joiners, with
# which several languages and emoji are written.
_UNSEEN = re.compile("[\xad\u200b\u2060-\u2065\u206a-\u206f\ufeff\U000e0000-\U000e007f]")
_FAULTS = (
    (_LINE_END, "it has several lines"),
    (_LONE_SURROGATE, "it is not UTF-8"),
    (_CONTROL, "it has a control character"),
    (_DIRECTION, "it has a mark that turns the direction of writing"),
    (_UNSEEN, "it has a character that is not seen"),
)


def has_unwritable(text: str) -> bool:
    """Return whether a text has a character that no record takes, or lone surrogates, with which Python shows
    the bytes of a name that its encoding lacks."""
    return _UNWRITABLE.search(text) is not None


def why_no_name(text: str) -> str | None:
    """Return what is wrong with a text as a name, to follow it and a colon; None if it is a good one."""
    if not text.strip():
        return "it is empty"
    for signs, fault in _FAULTS:
        if (found := signs.search(text)) is not None:
            return f"{fault} ({ascii(found[0])[1:-1]})"
    return None if len(text) <= LONGEST else f"it has {len(text):,} characters, of {LONGEST:,} at most"
