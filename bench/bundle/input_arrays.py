"""Makes a network's input from an 8-bit image that has its size already. It reads no file."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Tensor
from bench.errors import InputError

Layout = Literal["NCHW", "NHWC"]
Pixels = npt.NDArray[np.uint8]

# Pillow's weights of red, green and blue in grey, in 65536ths.
_GREY_WEIGHTS = (19595, 38470, 7471)


def to_input(
    image: Pixels,
    preprocess: Preprocess,
    layout: Layout,
    dtype: str,
    quantisation: Quantisation | None = None,
) -> npt.NDArray[Any]:
    """Return a batch of one image: height × width × 3 in RGB, or height × width in grey, becomes the input.

    An input whose integers stand for floats gets those of the preprocessing; the 8-bit values as they are
    where the preprocessing gives these, and they are not what the integers stand for.

    Grey is repeated for a network that takes colours; colours are made grey as Pillow does it. Raises
    InputError if the image has another size, or if `dtype` cannot hold the values.
    """
    channels = _in_order(_refuse_other_sizes(image, preprocess), preprocess)
    tables = _tables(preprocess, dtype, quantisation)
    planes = [table[channels[..., index]] for index, table in enumerate(tables)]
    return np.stack(planes, axis=0 if layout == "NCHW" else -1)[None]


def _refuse_other_sizes(image: Pixels, preprocess: Preprocess) -> Pixels:
    if image.dtype != np.uint8 or image.shape[2:] not in ((), (1,), (3,)):
        raise InputError(
            f"an image is {image.dtype} {list(image.shape)}; give uint8 [height, width, 3] or [height, width]"
        )
    if image.shape[:2] != preprocess.size:
        (height, width), (right_height, right_width) = image.shape[:2], preprocess.size
        raise InputError(
            f"an image has {width}×{height} pixels, and the input {right_width}×{right_height};"
            " resize it first"
        )
    return image if image.ndim == 3 else image[..., None]


def _in_order(image: Pixels, preprocess: Preprocess) -> Pixels:
    """Return the image with the network's channels in the network's order."""
    if preprocess.channels == "grey":
        return image if image.shape[2] == 1 else _grey(image)
    colours: Pixels = np.broadcast_to(image, (*image.shape[:2], 3))
    return colours[..., ::-1] if preprocess.channels == "bgr" else colours


def _grey(image: Pixels) -> Pixels:
    weighted = image.astype(np.uint32) @ np.array(_GREY_WEIGHTS, dtype=np.uint32)
    return ((weighted + 0x8000) >> 16).astype(np.uint8)[..., None]


def _tables(preprocess: Preprocess, dtype: str, quantisation: Quantisation | None) -> list[npt.NDArray[Any]]:
    """Return what each of the 256 values becomes in each channel; computed in float64, and rounded once."""
    values = np.arange(256, dtype=np.float64) * preprocess.scale
    tables = [(values - mean) / std for mean, std in zip(preprocess.mean, preprocess.std, strict=True)]
    if quantisation is not None and quantisation.holds(np.stack(tables), dtype):
        return [quantisation.to_integers(table, dtype) for table in tables]
    is_whole = not np.issubdtype(np.dtype(dtype), np.floating)
    if any(not _fits(table, dtype, is_whole) for table in tables):
        raise InputError(
            f"the input takes {dtype}, which cannot hold what the preprocessing gives ({preprocess.words}):"
            f" values from {min(map(np.min, tables)):.4g} to {max(map(np.max, tables)):.4g}; "
            f"{_remedy(dtype, quantisation)}"
        )
    return [(np.rint(table) if is_whole else table).astype(dtype) for table in tables]


def _remedy(dtype: str, quantisation: Quantisation | None) -> str:
    if quantisation is None:
        return "for a network that normalises by itself, use scale 1, mean 0 and std 1"
    least, greatest = quantisation.range_of(dtype)
    return (
        f"with {quantisation.words} it stands for values from {least:.4g} to {greatest:.4g}; state the "
        "preprocessing that the network was trained with"
    )


def _fits(table: npt.NDArray[Any], dtype: str, is_whole: bool) -> bool:
    """Whether a type holds the values; one of whole numbers holds no fractions."""
    if not is_whole:
        return bool(np.abs(table).max() <= np.finfo(dtype).max)
    limits, whole = np.iinfo(dtype), np.rint(table)
    is_inside = limits.min <= whole.min() and whole.max() <= limits.max
    return bool(is_inside and np.allclose(table, whole, rtol=0, atol=1e-6))


def fits_type(preprocess: Preprocess, dtype: str) -> bool:
    """Whether an input of a type can hold the values that a preprocessing gives."""
    is_whole = not np.issubdtype(np.dtype(dtype), np.floating)
    return _fits(_table(preprocess.scale, preprocess.mean, preprocess.std), dtype, is_whole)


def is_quantised(preprocess: Preprocess, tensor: Tensor) -> bool:
    """Whether an image's values are those that the integers of an input stand for."""
    table = _table(preprocess.scale, preprocess.mean, preprocess.std)
    return tensor.quantisation is not None and tensor.quantisation.holds(table, tensor.dtype)


def gives_values_of(
    dtype: str,
    quantisation: Quantisation | None,
    scale: float,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> bool:
    """Whether every 8-bit value becomes an integer of a type, or a value that these integers stand for."""
    table = _table(scale, mean, std)
    stands = quantisation is not None and quantisation.holds(table, dtype)
    return stands or _fits(table, dtype, is_whole=True)


def _table(scale: float, mean: tuple[float, ...], std: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Return what each of the 256 values becomes in each channel: [256, channels]."""
    table: npt.NDArray[np.float64] = (np.arange(256)[:, None] * scale - np.array(mean)) / np.array(std)
    return table
