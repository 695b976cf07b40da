"""Images in files, and images in memory, read in any size. It knows no classes and no splits."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.bundle.image_folder import mode_of, read_image, sized_image
from bench.bundle.input_arrays import Pixels
from bench.bundle.input_preprocessing import Preprocess
from bench.errors import InputError
from user_files.arrays import sha256_of_array
from user_files.bits_in_use import BitsInUse, ImageFacts, bits_in_use, facts_of
from user_files.decoding import ImageError, eight_bits_of
from user_files.hashes import sha256_of, sha256_of_all


@dataclass(frozen=True)
class FileImages:
    """Images in files."""

    files: tuple[Path, ...]
    """The file of each image."""

    def __len__(self) -> int:
        return len(self.files)

    def read(self, indices: Sequence[int], preprocess: Preprocess) -> Pixels:
        """Return some of the images at network size; see ReadableImages."""
        pool = ThreadPoolExecutor()
        try:
            files = [self.files[index] for index in indices]
            return np.stack(list(pool.map(lambda path: read_image(path, preprocess), files)))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def survey(self, indices: Sequence[int]) -> BitsInUse:
        """Return which value is white in some of the images; see ReadableImages."""
        pool = ThreadPoolExecutor()
        try:
            return bits_in_use(pool.map(facts_of, [self.files[index] for index in indices]))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def sources_sha256(self, indices: Sequence[int]) -> str:
        """Return the SHA-256 of the bytes of some of the files; see ReadableImages."""
        return sha256_of_all(sha256_of(self.files[index]) for index in indices)

    def content_keys(self, indices: Sequence[int]) -> list[str | None]:
        """Return a key of each file's bytes; None where no other file of these has its size.

        Raises InputError for a broken link, and for what is no regular file.
        """
        sizes = [_size(self.files[index]) for index in indices]
        counts = Counter(sizes)
        return [
            _digest(self.files[index].read_bytes()) if counts[size] > 1 else None
            for index, size in zip(indices, sizes, strict=True)
        ]


def _size(path: Path) -> int:
    if not path.is_file():
        # A pipe must not be opened: reading it would wait for ever.
        what = "is a broken link" if path.is_symlink() else "is no regular file"
        raise InputError(f"{path}: {what}; replace it, or move it away")
    return path.stat().st_size


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class ArrayImages:
    """Images in memory, of one size, which are some of a data set's."""

    where: str
    """Where they come from, for messages."""
    pixels: Pixels | npt.NDArray[np.uint16]
    """The images, of 8 or 16 bits: [rows, height, width] or RGB [rows, height, width, 3]."""
    rows: npt.NDArray[np.int64]
    """The row of each image of the data set; -1 for an image that is not in memory."""

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, indices: Sequence[int], preprocess: Preprocess) -> Pixels:
        """Return some of the images at network size; see ReadableImages."""
        return np.stack([self._sized(index, preprocess) for index in indices])

    def _sized(self, index: int, preprocess: Preprocess) -> Pixels:
        where, values = f"{self.where}: image {index}", self._at(index)
        if values.dtype != np.uint8:
            try:
                values = eight_bits_of(values, preprocess.sixteen_bit_white)
            except ImageError as error:
                raise InputError(f"{where} cannot be read: {error}") from None
        return sized_image(where, Image.fromarray(values).convert(mode_of(preprocess)), preprocess)

    def _at(self, index: int) -> npt.NDArray[np.integer]:
        row = int(self.rows[index])
        assert row >= 0, "only the images of the three sets are in memory"
        image: npt.NDArray[np.integer] = self.pixels[row]
        return image

    def survey(self, indices: Sequence[int]) -> BitsInUse:
        """Return which value is white in some of the images; see ReadableImages."""
        if self.pixels.dtype == np.uint8:
            return bits_in_use(())
        return bits_in_use(
            ImageFacts(f"{self.where}: image {index}", int(self._at(index).max())) for index in indices
        )

    def sources_sha256(self, indices: Sequence[int]) -> str:
        """Return the SHA-256 of the pixels of some of the images; see ReadableImages."""
        return sha256_of_all(sha256_of_array(self._at(index)) for index in indices)

    def content_keys(self, indices: Sequence[int]) -> list[str | None]:
        """Return a key of each image's pixels."""
        return [_digest(self._at(index).tobytes()) for index in indices]


def arrays_of(
    where: str, pixels: Pixels | npt.NDArray[np.uint16], chosen: npt.NDArray[np.int64], total: int
) -> ArrayImages:
    """Return images in memory: row k of the pixels is image `chosen[k]` of `total`."""
    rows = np.full(total, -1, dtype=np.int64)
    rows[chosen] = np.arange(len(chosen))
    return ArrayImages(where, pixels, rows)
