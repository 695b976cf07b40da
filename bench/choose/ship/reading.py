"""The part of `classify.py` that reads an image, written from the record of preprocessing. Pure."""

from bench.bundle.preprocessing import PreprocessingRecord

_READ = '''\
def read(path):
    """Return an image as the network takes it: float32 [1, {channels}, {height}, {width}]."""
    image = Image.open(path)
    if image.mode.startswith("I"):  # 16-bit grey
        image = Image.fromarray(np.asarray(image).astype(np.float32) / {sixteen_bit_divide_by})
    else:
        image = image.convert({mode})
    image = image.resize(({width}, {height}), Image.Resampling.{resampling})
    pixels = np.atleast_3d(np.rint(np.asarray(image)))
    planes = np.broadcast_to(pixels.transpose(2, 0, 1), ({channels}, {height}, {width}))
    batch = np.ascontiguousarray(planes[None], dtype=np.float32) / {divide_by}
    return {batch}'''
_GREY_OR_RGB = '"L" if image.mode in ("1", "L", "LA", "La") else "RGB"'


def reading_of(steps: PreprocessingRecord) -> str:
    """Return the function `read(path)` as Python."""
    height, width = steps.size
    return _READ.format(
        channels=steps.channels,
        height=height,
        width=width,
        sixteen_bit_divide_by=_number(steps.sixteen_bit_divide_by),
        mode=_GREY_OR_RGB if steps.channels == 3 else '"L"',
        resampling=steps.interpolation.upper(),
        divide_by=_number(steps.divide_by),
        batch=_normalised(steps) if steps.is_normalised else "batch",
    )


def _normalised(steps: PreprocessingRecord) -> str:
    return f"(batch - {_planes(steps.mean)}) / {_planes(steps.std)}"


def _planes(values: tuple[float, ...]) -> str:
    return f"np.float32({list(values)}).reshape(1, -1, 1, 1)"


def _number(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)
