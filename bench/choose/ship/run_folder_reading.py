"""`preprocess.py` for a bundle of a run folder, written from its record of preprocessing. Pure."""

from bench.bundle.preprocessing import PreprocessingRecord
from bench.choose.ship.decoding_text import how_read, script_with

_FUNCTION = '''\
WIDTH, HEIGHT = {width}, {height}
{constants}

def read_image(path):
    """Return an image as the network takes it: float32 [1, {channels}, {height}, {width}]."""
    image = read_upright(path, {how}){to_grey}
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.{resampling})
    pixels = np.atleast_3d(np.asarray(image))
    planes = np.broadcast_to(pixels.transpose(2, 0, 1), ({channels}, HEIGHT, WIDTH))
    batch = np.ascontiguousarray(planes[None], dtype=np.float32) / {divide_by}
    return {batch}
'''


def reading_of(steps: PreprocessingRecord) -> str:
    """Return the script with the function `read_image(path)`."""
    height, width = steps.size
    function = _FUNCTION.format(
        channels=steps.channels,
        height=height,
        width=width,
        constants=_constants(steps) if steps.is_normalised else "",
        how=how_read(steps.sixteen_bit_white, steps.orientation == "applied"),
        to_grey="" if steps.channels == 3 else '.convert("L")',
        resampling=steps.interpolation.upper(),
        divide_by=_number(steps.divide_by),
        batch="(batch - MEAN) / STD" if steps.is_normalised else "batch",
    )
    return script_with(function)


def _constants(steps: PreprocessingRecord) -> str:
    return f"MEAN = {_planes(steps.mean)}\nSTD = {_planes(steps.std)}\n"


def _planes(values: tuple[float, ...]) -> str:
    return f"np.float32({list(values)}).reshape(1, -1, 1, 1)"


def _number(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)
