"""`preprocess.py` for a bundle of any other source, with the steps that its preprocessing has. Pure.

It gives the same values as bench/bundle/image_folder.py and input_arrays.py, which bench measures with, and
has the text of user_files/decoding.py.
"""

from textwrap import indent

import numpy as np

from bench.bundle.evaluation_pack import layout_of
from bench.bundle.image_folder import uncut_size
from bench.bundle.input_arrays import is_quantised
from bench.bundle.input_preprocessing import UNIT_SCALE, Preprocess
from bench.bundle.signature import Tensor
from bench.choose.ship.decoding_text import how_read, script_with

_FUNCTION = '''\
{constants}


def read_image(path):
    """Return an image file as the network takes it: {dtype} {shape}."""
    image = read_upright(path, {how}).convert("{mode}")
{steps}
'''
_OTHER_SIZE = """\
if image.size != (WIDTH, HEIGHT):
    raise ValueError(f"it has {image.width}x{image.height} pixels, not {WIDTH}x{HEIGHT}")"""
_BY_SHORTER_EDGE = """\
shorter = min(image.size)
width, height = (int({edge} * edge / shorter) for edge in image.size)"""
_BY_RATIO = """\
ratio = {choose}(image.width / {width}, image.height / {height})
width, height = (max(1, round(edge / ratio)) for edge in image.size)"""
_CUT = """\
left, top = round((image.width - WIDTH) / 2), round((image.height - HEIGHT) / 2)
image = image.crop((left, top, left + WIDTH, top + HEIGHT))"""
_CANVAS = """\
canvas = Image.new("{mode}", (WIDTH, HEIGHT), PAD_VALUE)
canvas.paste(image, {corner})
image = canvas"""
_MIDDLE = "((WIDTH - image.width) // 2, (HEIGHT - image.height) // 2)"
# An image that is larger than the canvas loses as much on both sides as a crop takes away.
_CORNER = """\
corner = [
    (edge - size) // 2 if size < edge else -round((size - edge) / 2)
    for edge, size in zip((WIDTH, HEIGHT), image.size)
]"""


def reading_of(preprocess: Preprocess, tensor: Tensor) -> str:
    """Return the script with the function `read_image(path)`, for a network that takes `tensor`."""
    steps = [
        *_sizing(preprocess),
        _pixels(preprocess),
        *_numbers(preprocess, tensor),
        _returned(preprocess, tensor),
    ]
    function = _FUNCTION.format(
        how=how_read(preprocess.sixteen_bit_white, preprocess.orientation == "applied"),
        constants="\n".join(_constants(preprocess)),
        dtype=tensor.dtype,
        shape=list(tensor.sizes),
        mode=_mode(preprocess),
        steps=indent("\n".join(steps), "    "),
    )
    return script_with(function)


def _mode(preprocess: Preprocess) -> str:
    return "L" if preprocess.channels == "grey" else "RGB"


def _is_cut(preprocess: Preprocess) -> bool:
    """Whether images are resized to more than the input's size."""
    return uncut_size(preprocess) != preprocess.size


def _constants(preprocess: Preprocess) -> list[str]:
    (height, width), (uncut_height, uncut_width) = preprocess.size, uncut_size(preprocess)
    lines = [f"WIDTH, HEIGHT = {width}, {height}"]
    if _is_cut(preprocess) and preprocess.resize != "none":
        lines.append(f"UNCUT_WIDTH, UNCUT_HEIGHT = {uncut_width}, {uncut_height}  # before the middle is cut")
    if preprocess.resize in ("letterbox", "fit"):
        lines.append(f"PAD_VALUE = {_pad_value(preprocess)}")
    if preprocess.scale != 1:
        lines.append(f"SCALE = {'1 / 255' if preprocess.scale == UNIT_SCALE else repr(preprocess.scale)}")
    order = "" if preprocess.channels == "grey" else f"  # in the order {preprocess.channels}"
    if _has_mean(preprocess):
        lines.append(f"MEAN = {list(preprocess.mean)}{order}")
    if _has_std(preprocess):
        lines.append(f"STD = {list(preprocess.std)}{order}")
    return lines


def _pad_value(preprocess: Preprocess) -> int | tuple[int, ...]:
    values = preprocess.pad_value
    if preprocess.channels == "grey":
        return values[0]
    return values * 3 if len(values) == 1 else values


def _has_mean(preprocess: Preprocess) -> bool:
    return any(preprocess.mean)


def _has_std(preprocess: Preprocess) -> bool:
    return any(value != 1 for value in preprocess.std)


def _sizing(preprocess: Preprocess) -> list[str]:
    """Return the lines that give `image` the input's size."""
    width, height = ("UNCUT_WIDTH", "UNCUT_HEIGHT") if _is_cut(preprocess) else ("WIDTH", "HEIGHT")
    by_ratio = _BY_RATIO.format(
        choose="min" if preprocess.resize == "crop" else "max", width=width, height=height
    )
    scaled = _resized("width", "height", preprocess)
    uncut_height, uncut_width = uncut_size(preprocess)
    match preprocess.resize:
        case "none":
            return [_OTHER_SIZE]
        case "squash":
            return [_resized(width, height, preprocess), *([_CUT] if _is_cut(preprocess) else [])]
        case "crop" if uncut_height == uncut_width:
            return [_BY_SHORTER_EDGE.format(edge=width), scaled, _CUT]
        case "crop":
            return [by_ratio, scaled, _CUT]
        case "letterbox" | "fit":
            return [by_ratio, scaled, *_bordered(preprocess)]


def _resized(width: str, height: str, preprocess: Preprocess) -> str:
    filtering = f"Image.Resampling.{preprocess.interpolation.upper()}"
    if preprocess.antialias:
        return f"image = image.resize(({width}, {height}), {filtering})"
    whole = "(0, 0, image.width, image.height)"
    return f"image = image.transform(({width}, {height}), Image.Transform.EXTENT, {whole}, {filtering})"


def _bordered(preprocess: Preprocess) -> list[str]:
    mode = _mode(preprocess)
    if preprocess.resize == "fit":
        return [_CANVAS.format(mode=mode, corner="(0, 0)")]
    if _is_cut(preprocess):
        return [_CORNER, _CANVAS.format(mode=mode, corner="corner")]
    return [_CANVAS.format(mode=mode, corner=_MIDDLE)]


def _pixels(preprocess: Preprocess) -> str:
    match preprocess.channels:
        case "grey":
            return "pixels = np.asarray(image)[..., None]"
        case "bgr":
            return "pixels = np.asarray(image)[..., ::-1]  # blue, green, red"
        case "rgb":
            return "pixels = np.asarray(image)"


def _numbers(preprocess: Preprocess, tensor: Tensor) -> list[str]:
    """Return the lines that scale and normalise; rounding to the input's type comes last, and once."""
    values = "pixels.astype(np.float64)"
    if preprocess.scale != 1:
        values = f"{values} * SCALE"
    if _has_mean(preprocess):
        values = f"{values} - MEAN"
    if _has_std(preprocess):
        values = f"({values}) / STD" if " " in values else f"{values} / STD"
    if tensor.quantisation is not None and is_quantised(preprocess, tensor):
        limits, how = np.iinfo(tensor.dtype), tensor.quantisation
        integers = f"({values}) / {how.scale!r} + {how.zero_point}"
        return [f"pixels = np.clip(np.rint({integers}), {limits.min}, {limits.max})"]
    if " " not in values:
        return []
    is_whole = not np.issubdtype(np.dtype(tensor.dtype), np.floating)
    return [f"pixels = np.rint({values})" if is_whole else f"pixels = {values}"]


def _returned(preprocess: Preprocess, tensor: Tensor) -> str:
    is_nchw = layout_of(tensor, preprocess) == "NCHW"
    item = "pixels.transpose(2, 0, 1)" if is_nchw else "pixels"
    many = tensor.sizes[0]
    batch = f"[{item}]" if many == 1 else f"[{item}] * {many}"
    comment = "" if many == 1 else f"  # the network takes {many} images at once"
    return f'return np.array({batch}, dtype=np.{tensor.dtype}, order="C"){comment}'
