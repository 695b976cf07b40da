"""The text of the decoder as the first part of `preprocess.py`, which so reads images as edgefit does."""

import ast
from pathlib import Path

from user_files import decoding

_START = '''\
"""How an image becomes the network's input. It needs numpy and Pillow alone.

`read_image` is at the end. Before it stands how edgefit reads image files: upright, in 8 bits, grey or RGB.
"""
'''
# read_image needs it as well, and here it may be imported at once.
_LAZY = """
if TYPE_CHECKING:
    from PIL import Image
"""
_AT_ONCE = """
from PIL import Image
"""


def script_with(function: str) -> str:
    """Return `preprocess.py` with a function `read_image` and its constants."""
    text = Path(decoding.__file__).read_text(encoding="utf-8")
    after_docstring = ast.parse(text).body[0].end_lineno
    code = "\n".join(text.splitlines()[after_docstring:])
    assert _LAZY in code
    code = code.replace(_LAZY, _AT_ONCE).replace("import TYPE_CHECKING", "import Any")
    return f"{_START}{code}\n\n\n{function}"


def how_read(white: int, is_turned: bool) -> str:
    """Return the arguments of `read_upright`."""
    return f"white={white}, is_turned={is_turned}"
