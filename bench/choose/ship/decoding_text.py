"""The text of the decoder as the first part of `preprocess.py`, which so reads images as edgefit does."""

import ast
from pathlib import Path

from user_files import decoding

_START = '''\
"""How an image becomes the network's input. It needs numpy and Pillow alone.

`read_image` is at the end. Before it stands how edgefit reads image files: upright, in 8 bits, grey or RGB.
"""
'''
_END = '''

def read_or_exit(path):
    """Return what read_image does; end the program with a sentence if the file cannot be read."""
    try:
        return read_image(path)
    except ValueError as error:
        sys.exit(f"{path}: {error}")
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
    code = code.replace(_LAZY, _AT_ONCE).replace("from typing import TYPE_CHECKING\n", "")
    code = code.replace("import re\n", "import re\nimport sys\n", 1)
    return f"{_START}{code}\n\n\n{function}{_END}"


def how_read(white: int, is_turned: bool) -> str:
    """Return the arguments of `read_upright`."""
    return f"white={white}, is_turned={is_turned}"
