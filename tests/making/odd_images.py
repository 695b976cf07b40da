"""Image files of many kinds, as scanners, viewers and libraries write them: readable ones, and others."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

HEIGHT, WIDTH = 20, 30
ORIENTATION = 0x0112
DEPTHS = (8, 10, 12, 14, 15, 16)


def grey() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)


def colours() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def deep(bits: int) -> npt.NDArray[np.uint16]:
    """Return values of which the highest is that of so many bits."""
    values = np.random.default_rng(bits).integers(0, 2**bits, (HEIGHT, WIDTH)).astype(np.uint16)
    values[0, 0] = 2**bits - 1
    return values


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def with_orientation(number: int, kind: str, image: Image.Image) -> bytes:
    """Return a file that states how its picture lies."""
    exif = Image.Exif()
    exif[ORIENTATION] = number
    return _saved(image, kind, exif=exif, lossless=True, quality=100)


def readable() -> dict[str, bytes]:
    """Return files that can be read with 65535 as white, by name."""
    image, coloured = Image.fromarray(grey()), Image.fromarray(colours())
    palette = coloured.convert("P")
    hidden = coloured.convert("RGBA")
    hidden.putalpha(0)
    turned = {
        f"turned-{number}.{suffix}": with_orientation(number, kind, coloured)
        for number in range(1, 9)
        for suffix, kind in (("png", "PNG"), ("jpg", "JPEG"), ("tif", "TIFF"), ("webp", "WEBP"))
    }
    return {
        "grey.png": _saved(image, "PNG"),
        "rgb.png": _saved(coloured, "PNG"),
        "one-bit.png": _saved(Image.fromarray(grey() > 127), "PNG"),
        "palette.png": _saved(palette, "PNG"),
        "palette-2-bits.png": _saved(coloured.quantize(4), "PNG", bits=2),
        "palette-4-bits.png": _saved(coloured.quantize(16), "PNG", bits=4),
        "palette-transparent.png": _saved(palette, "PNG", transparency=bytes(range(200))),
        "grey-transparent.png": _saved(image, "PNG", transparency=7),
        "rgb-transparent.png": _saved(coloured, "PNG", transparency=(1, 2, 3)),
        "grey-alpha.png": _saved(image.convert("LA"), "PNG"),
        "hidden-colours.png": _saved(hidden, "PNG"),
        "colours-16-bits.png": png_of_16_bits(colours().astype(np.uint16) * 257),
        "grey-alpha-16-bits.png": png_of_16_bits(colours()[..., :2].astype(np.uint16) * 257),
        "cmyk.jpg": _saved(coloured.convert("CMYK"), "JPEG"),
        "cmyk.tif": _saved(coloured.convert("CMYK"), "TIFF"),
        "ycbcr.jpg": _saved(coloured, "JPEG", subsampling=2),
        "ycbcr.tif": _saved(coloured.convert("YCbCr"), "TIFF"),
        "lzw.tif": _saved(image, "TIFF", compression="tiff_lzw"),
        "white-is-zero.tif": _saved(image, "TIFF", tiffinfo={262: 0}),
        "frames.gif": _saved(image, "GIF", save_all=True, append_images=[image.rotate(180)]),
        "frames.webp": _saved(coloured, "WEBP", save_all=True, append_images=[image.convert("RGB")]),
        "frames.png": _saved(image, "PNG", save_all=True, append_images=[image.rotate(180)]),
        "pages.tif": _saved(image, "TIFF", save_all=True, append_images=[image.rotate(180)]),
        "damaged-exif.jpg": _saved(coloured, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x99" * 40),
        "profile.jpg": _saved(coloured, "JPEG", icc_profile=b"no profile at all"),
        "colours.ppm": b"P6 30 20 65535\n" + (colours().astype(">u2") * 257).tobytes(),
        "deep-with-own-range.pgm": b"P5 30 20 4095\n" + deep(12).astype(">u2").tobytes(),
        "single.png": _saved(Image.new("L", (1, 1), 9), "PNG"),
        **turned,
    }


def readable_deep() -> dict[str, bytes]:
    """Return grey files whose values are those of `deep(12)`, by name."""
    values = deep(12)
    return {
        "deep.png": _saved(Image.fromarray(values), "PNG"),
        "significant-bits.png": png_of_16_bits(values),
        "deep.tif": _saved(Image.fromarray(values), "TIFF"),
        "deep-lzw.tif": _saved(Image.fromarray(values), "TIFF", compression="tiff_lzw"),
        "integers.tif": _saved(Image.fromarray(values.astype(np.int32)), "TIFF"),
        "signed.tif": tiff_of(values.astype("<i2"), sample_format=2),
    }


def tiff_of(values: npt.NDArray[Any], sample_format: int = 1, photometric: int = 1) -> bytes:
    """Return a TIFF of a grey image; `sample_format`: 1 unsigned, 2 signed, 3 floating."""
    height, width = values.shape
    content = values.tobytes()
    tags = [
        (256, width),
        (257, height),
        (258, values.dtype.itemsize * 8),
        (259, 1),
        (262, photometric),
        (273, 8),
        (277, 1),
        (278, height),
        (279, len(content)),
        (339, sample_format),
    ]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return (
        struct.pack("<2sHI", b"II", 42, 8 + len(content))
        + content
        + struct.pack("<H", len(tags))
        + directory
        + bytes(4)
    )


def png_of_16_bits(values: npt.NDArray[np.uint16]) -> bytes:
    """Return a PNG of 16 bits in each channel, which says that 12 bits matter, and names a gamma."""
    kind = {0: 0, 2: 4, 3: 2, 4: 6}[0 if values.ndim == 2 else values.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    channels = 1 if values.ndim == 2 else values.shape[2]
    return _png(values.shape[1], values.shape[0], 16, kind, zlib.compress(rows), bytes([12] * channels))


def huge_png(width: int, height: int) -> bytes:
    """Return a black PNG of any size."""
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + width)) for _ in range(height))
    return _png(width, height, 8, 0, rows + packer.flush())


def _png(width: int, height: int, depth: int, kind: int, content: bytes, significant: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    gamma = _chunk(b"gAMA", struct.pack(">I", 100_000))
    bits = _chunk(b"sBIT", significant) if significant else b""
    chunks = _chunk(b"IHDR", header) + bits + gamma + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def unreadable() -> dict[str, tuple[bytes, str]]:
    """Return files that no reader takes, by name, each with words of the reason."""
    image, coloured = Image.fromarray(grey()), Image.fromarray(colours())
    fractions = np.random.default_rng(2).random((HEIGHT, WIDTH)).astype(np.float32)
    with_nan = fractions.copy()
    with_nan[0, 0] = np.nan
    png, jpeg = _saved(coloured, "PNG"), _saved(coloured, "JPEG")
    tiff = _saved(Image.fromarray(deep(12)), "TIFF")
    return {
        "empty.png": (b"", "it is empty (0 bytes)"),
        "text.png": (b"hello", "it is no image"),
        "cut.png": (png[: len(png) // 2], "it is cut off"),
        "cut.jpg": (jpeg[: len(jpeg) * 2 // 3], "it is cut off"),
        "cut-deep.tif": (tiff[:-300], "it is cut off"),
        "hounsfield.tif": (tiff_of(deep(12).astype("<i2") - 1024, sample_format=2), "choose a window"),
        "large.tif": (
            _saved(Image.fromarray(deep(16).astype(np.int32) * 9), "TIFF"),
            "up to 589815",
        ),
        "fractions.tif": (_saved(Image.fromarray(fractions), "TIFF"), "its values are fractions (from 0.0"),
        "fractions-to-4095.tif": (_saved(Image.fromarray(fractions * 4095), "TIFF"), "fractions (from"),
        "not-a-number.tif": (_saved(Image.fromarray(with_nan), "TIFF"), "its values are fractions (from 0.0"),
        "no-number.tif": (
            _saved(Image.fromarray(with_nan * np.nan), "TIFF"),
            "are fractions, and",
        ),
        "cut-palette.gif": (_saved(image, "GIF")[:200], "it is"),
    }


def write(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
