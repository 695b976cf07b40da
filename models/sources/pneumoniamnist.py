"""Downloads PneumoniaMNIST once, checks it and caches it. It knows addresses and checksums.

Yang et al., MedMNIST v2, Scientific Data 2023 (CC BY 4.0); the X-rays come from Kermany et al., Cell 2018.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from models.dataset import Dataset
from models.errors import InputError
from models.positive import positive_class
from models.progress import Progress
from models.sources.medmnist import CLASSES as MEDMNIST
from models.sources.npz import prepare_npz
from models.sources.options import Loader, SourceOptions
from user_files.own_folders import CACHE_VARIABLE, NO_HOME
from user_files.own_folders import cache as user_cache

ADDRESS = "https://zenodo.org/records/10519652/files"
CLASSES = MEDMNIST["pneumoniamnist"]
TIMEOUT_S = 30
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class OfficialFile:
    """One resolution of the collection."""

    side: int
    """The side of its images in pixels."""
    name: str
    """The file's name."""
    md5: str
    """The published MD5 checksum."""


FILES = (
    OfficialFile(28, "pneumoniamnist.npz", "28209eda62fecd6e6a2d98b1501bb15f"),
    OfficialFile(64, "pneumoniamnist_64.npz", "8f4eceb4ccffa70c672198ea285246c6"),
    OfficialFile(128, "pneumoniamnist_128.npz", "05b46931834c231683c68f40c47b2971"),
    OfficialFile(224, "pneumoniamnist_224.npz", "d6a3c71de1b945ea11211b03746c1fe1"),
)


def choose_file(image_size: int, files: Sequence[OfficialFile] = FILES) -> OfficialFile:
    """Return the smallest file whose images need not be enlarged, or the largest file."""
    large_enough = [file for file in files if file.side >= image_size]
    return min(large_enough, key=lambda file: file.side) if large_enough else files[-1]


def prepare_pneumoniamnist(
    options: SourceOptions,
    address: str = ADDRESS,
    files: Sequence[OfficialFile] = FILES,
    cache: Path | None = None,
) -> Loader:
    """Return a loader that downloads the file the first time. There is nothing to check beforehand."""
    chosen = choose_file(options.image_size, files)
    positive_class(CLASSES, options.positive)

    def load(progress: Progress) -> Dataset:
        path = _fetch(chosen, address, cache or _cache(), progress)
        progress.say(f"PneumoniaMNIST at {chosen.side}x{chosen.side} ({chosen.name}): the checksum is right")
        return prepare_npz(path, options, CLASSES)(progress)

    return load


def _cache() -> Path:
    if (folder := user_cache()) is None:
        raise InputError(
            f"--data pneumoniamnist: {NO_HOME}; set {CACHE_VARIABLE} to a writable folder, to download into"
        )
    return folder


class _Bar:
    """The progress bar that pooch needs, drawn by a Progress. Pooch sets `total`, in bytes."""

    def __init__(self, progress: Progress, task: str) -> None:
        self.total = 0
        self._progress, self._task = progress, task
        self._has_begun = self._done = False

    def update(self, count: int) -> None:
        """Add `count` bytes."""
        if self._done:
            return
        if not self._has_begun:
            self._progress.begin(self._task, self.total)
            self._has_begun = True
        self._progress.advance(count)

    def reset(self) -> None:
        """Ignore the steps that follow: at the end pooch resets the bar and fills it again."""
        self._done = True

    def close(self) -> None:
        """Do nothing: a Progress needs no closing."""


def _fetch(file: OfficialFile, address: str, cache: Path, progress: Progress) -> Path:
    bar = _Bar(progress, f"Downloading {file.name}")
    url = f"{address}/{file.name}?download=1"
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        fetched = pooch.retrieve(
            url,
            known_hash=f"md5:{file.md5}",
            fname=file.name,
            path=cache,
            downloader=pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S),
        )
    except (requests.RequestException, OSError, ValueError) as error:
        raise InputError(
            f"--data pneumoniamnist: {url} could not be downloaded ({_first_line(error)}); "
            "download the file elsewhere and give it as --data FILE.npz"
        ) from error
    return Path(fetched)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
