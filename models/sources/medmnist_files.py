"""Downloads a set of MedMNIST once, checks it and caches it. It knows addresses and checksums.

Yang et al., MedMNIST v2, Scientific Data 2023 (CC BY 4.0, DermaMNIST CC BY-NC 4.0). The checksums are those
of MedMNIST's own `info.py`, version 3.0.2.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pooch

from models.dataset import Dataset
from models.errors import InputError
from models.positive import positive_class
from models.progress import Progress
from models.sources.medmnist import CLASSES
from models.sources.npz import prepare_npz
from models.sources.options import Loader, SourceOptions
from user_files.own_folders import CACHE_VARIABLE, NO_HOME
from user_files.own_folders import cache as user_cache

ADDRESS = "https://zenodo.org/records/10519652/files"
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


SIDES = (28, 64, 128, 224)
# The MD5 of each set's file for each of these sides.
_MD5 = {
    "pathmnist": (
        "a8b06965200029087d5bd730944a56c1", "55aa9c1e0525abe5a6b9d8343a507616",
        "ac42d08fb904d92c244187169d1fd1d9", "2c51a510bcdc9cf8ddb2af93af1eadec",
    ),
    "dermamnist": (
        "0744692d530f8e62ec473284d019b0c7", "b70a2f5635c6199aeaa28c31d7202e1f",
        "2defd784463fa5243564e855ed717de1", "8974907d8e169bef5f5b96bc506ae45d",
    ),
    "octmnist": (
        "c68d92d5b585d8d81f7112f81e2d0842", "e229e9440236b774d9f0dfef9d07bdaf",
        "0a97e76651ace45c5d943ee3f65b63ae", "abc493b6d529d5de7569faaef2773ba3",
    ),
    "pneumoniamnist": (
        "28209eda62fecd6e6a2d98b1501bb15f", "8f4eceb4ccffa70c672198ea285246c6",
        "05b46931834c231683c68f40c47b2971", "d6a3c71de1b945ea11211b03746c1fe1",
    ),
    "retinamnist": (
        "bd4c0672f1bba3e3a89f0e4e876791e4", "afda852cc34dcda56f86ad2b2457dbcc",
        "e48e916a24454daf90583d4e6efb1a18", "eae7e3b6f3fcbda4ae613ebdcbe35348",
    ),
    "breastmnist": (
        "750601b1f35ba3300ea97c75c52ff8f6", "742edef2a1fd1524b2efff4bd7ba9364",
        "363e4b3f8d712e9b5de15470a2aaadf1", "b56378a6eefa9fed602bb16d192d4c8b",
    ),
    "bloodmnist": (
        "7053d0359d879ad8a5505303e11de1dc", "2b94928a2ae4916078ca51e05b6b800b",
        "adace1e0ed228fccda1f39692059dd4c", "b718ff6835fcbdb22ba9eacccd7b2601",
    ),
    "tissuemnist": (
        "ebe78ee8b05294063de985d821c1c34b", "123ece2eba09d0aa5d698fda57103344",
        "61b955355d7425a89687b06cca3ce0c2", "b077128c4a949f0a4eb01517f9037b9c",
    ),
    "organamnist": (
        "68e3f8846a6bd62f0c9bf841c0d9eacc", "2dcccc29b88e6da5a01161ef20cda288",
        "eeae80d0a227a8d099027e1b3cfd3b60", "50747347e05c87dd3aaf92c49f9f3170",
    ),
    "organcmnist": (
        "b9ceb9546e10131b32923c5bbeaea2b1", "3ce34a8724ea6f548e6db4744d03b6a9",
        "773c1f009daa3fe5d9a2a201b2a7ed94", "050f5e875dc056f6768abf94ec9995d1",
    ),
    "organsmnist": (
        "9ab87b696fb54e2a387ebe992d6ed5f1", "53a6d115339d874c25e309a994ff46d3",
        "ded0c5fa01a95dc4978b956f613e9b8e", "b354719e553fbbb2513d5533f52a4cb1",
    ),
}  # fmt: skip
# An image of ChestMNIST has any number of 14 findings.
_SEVERAL_LABELS = "chestmnist"
NAMES = (*_MD5, _SEVERAL_LABELS)


def official_files(name: str) -> tuple[OfficialFile, ...]:
    """Return the files of a set, the smallest images first."""
    return tuple(
        OfficialFile(side, f"{name}.npz" if side == SIDES[0] else f"{name}_{side}.npz", md5)
        for side, md5 in zip(SIDES, _MD5[name], strict=True)
    )


def choose_file(image_size: int, files: Sequence[OfficialFile]) -> OfficialFile:
    """Return the smallest file whose images need not be enlarged, or the largest file."""
    large_enough = [file for file in files if file.side >= image_size]
    return min(large_enough, key=lambda file: file.side) if large_enough else files[-1]


def prepare_medmnist(
    name: str,
    options: SourceOptions,
    address: str = ADDRESS,
    files: Sequence[OfficialFile] | None = None,
    cache: Path | None = None,
) -> Loader:
    """Return a loader that downloads a set's file the first time. There is no file to check beforehand."""
    if name == _SEVERAL_LABELS:
        raise InputError(
            f"--data {name}: each of its images has {len(CLASSES[name])} labels, and fine-tuning needs one "
            f"class for each image; choose another set: {', '.join(_MD5)}"
        )
    chosen = choose_file(options.image_size, official_files(name) if files is None else files)
    positive_class(CLASSES[name], options.positive)

    def load(progress: Progress) -> Dataset:
        path = _fetch(name, _Download(chosen, address, cache or _cache(name)), progress)
        progress.say(f"{name} at {chosen.side}x{chosen.side} ({chosen.name}): the checksum is right")
        return prepare_npz(path, options, CLASSES[name])(progress)

    return load


@dataclass(frozen=True)
class _Download:
    """A file that is downloaded."""

    file: OfficialFile
    """The file."""
    address: str
    """Where it lies."""
    cache: Path
    """The folder to download it into."""


def _cache(name: str) -> Path:
    if (folder := user_cache()) is None:
        raise InputError(
            f"--data {name}: {NO_HOME}; set {CACHE_VARIABLE} to a writable folder, to download into"
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


def _fetch(name: str, download: _Download, progress: Progress) -> Path:
    file = download.file
    bar = _Bar(progress, f"Downloading {file.name}")
    url = f"{download.address}/{file.name}?download=1"
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        fetched = pooch.retrieve(
            url,
            known_hash=f"md5:{file.md5}",
            fname=file.name,
            path=download.cache,
            downloader=pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S),
        )
    except (OSError, ValueError) as error:  # the errors of requests are OSErrors
        raise InputError(
            f"--data {name}: {url} could not be downloaded ({_first_line(error)}); "
            "download the file elsewhere and give it as --data FILE.npz"
        ) from error
    return Path(fetched)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
