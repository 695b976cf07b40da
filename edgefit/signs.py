"""Text for a terminal whose encoding lacks signs that edgefit prints: each becomes what can be typed."""

import codecs
import sys
from io import TextIOWrapper

_ERRORS = "edgefit.signs"
_TYPED = {
    "×": "x",
    "÷": "/",
    "±": "+-",
    "−": "-",
    "–": "-",
    "—": "-",
    "·": "*",
    "•": "*",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "→": "->",
    "←": "<-",
    "µ": "u",  # the sign for micro
    "μ": "u",  # the Greek letter
    "°": "deg",
    "²": "^2",
    "³": "^3",
    "⁶": "^6",
    "√": "sqrt",
    "Σ": "sum",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
    "\N{THIN SPACE}": " ",
    "─": "-",
    "━": "-",
    "│": "|",
    "├": "|",
    "└": "`",
    "●": "*",
    "▲": "^",
    "◆": "*",
    # A curve's heights: the digits have the same order.
    "▁": "1",
    "▂": "2",
    "▃": "3",
    "▄": "4",
    "▅": "5",
    "▆": "6",
    "▇": "7",
    "█": "8",
    "✅": "ok",
    "❌": "x",
    "⚠": "!",
    "\N{VARIATION SELECTOR-16}": "",
}


def print_any_sign() -> None:
    """Have stdout and stderr replace what their encoding lacks, from now on, whoever prints."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def typed(text: str, encoding: str) -> str:
    r"""Return text that the encoding can write. A letter that it lacks is shown as Python does: `\xfc`.

    So two names that differ still differ.
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, _ERRORS).decode(encoding)
    return text


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_TYPED.get(letter, _escaped(letter)) for letter in letters), error.end


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_ERRORS, _replace)
