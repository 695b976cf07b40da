"""Official files of MedMNIST's sets, served by a real HTTP server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from making.films import Remembering, medmnist_arrays, save_npz

from models.errors import InputError
from models.positive import positive_class
from models.sources.loaders import NAMED
from models.sources.medmnist import CLASSES
from models.sources.medmnist_files import (
    NAMES,
    OfficialFile,
    choose_file,
    official_files,
    prepare_medmnist,
)
from models.sources.options import SourceOptions

OPTIONS = SourceOptions(image_size=32, skip_bad=False, images=0)


class _CountingServer(ThreadingHTTPServer):
    """A server that keeps the paths it was asked for."""

    requested: list[str]


class _Counting(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _CountingServer)
        self.server.requested.append(self.path)
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


Served = tuple[_CountingServer, str, OfficialFile]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "served"
    folder.mkdir()
    save_npz(folder / "pneumoniamnist.npz", medmnist_arrays())
    digest = hashlib.md5((folder / "pneumoniamnist.npz").read_bytes()).hexdigest()
    server = _CountingServer(("127.0.0.1", 0), partial(_Counting, directory=str(folder)))
    server.requested = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server, f"http://127.0.0.1:{server.server_port}", OfficialFile(28, "pneumoniamnist.npz", digest)
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_file_is_downloaded_once_with_a_bar_in_bytes_and_then_cached(
    served: Served, tmp_path: Path, progress: Remembering
) -> None:
    server, address, file = served
    load = prepare_medmnist("pneumoniamnist", OPTIONS, address, (file,), tmp_path / "cache")
    size = (tmp_path / "served" / file.name).stat().st_size

    first, second = load(progress), load(progress)

    assert first.classes == ("normal", "pneumonia")
    assert len(first.train) == len(second.train) == 40
    assert server.requested == ["/pneumoniamnist.npz?download=1"]
    assert progress.tasks[0] == ("Downloading pneumoniamnist.npz", size)


def test_a_file_with_another_checksum_is_refused_and_not_cached(
    served: Served, tmp_path: Path, progress: Remembering
) -> None:
    _, address, file = served
    wrong = OfficialFile(28, file.name, "0" * 32)

    with pytest.raises(InputError, match=r"--data FILE\.npz"):
        prepare_medmnist("pneumoniamnist", OPTIONS, address, (wrong,), tmp_path / "cache")(progress)

    assert not list((tmp_path / "cache").glob("*.npz"))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://{server}/missing"])
def test_a_network_that_fails_is_an_error_with_a_remedy(
    served: Served, tmp_path: Path, progress: Remembering, address: str
) -> None:
    server, _, file = served
    address = address.format(server=f"127.0.0.1:{server.server_port}")

    with pytest.raises(InputError) as caught:
        prepare_medmnist("pneumoniamnist", OPTIONS, address, (file,), tmp_path / "cache")(progress)

    assert "--data FILE.npz" in str(caught.value)
    assert address in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("image_size", "side"), [(28, 28), (64, 64), (96, 128), (224, 224), (512, 224)])
def test_the_smallest_file_that_need_not_be_enlarged_is_used(image_size: int, side: int) -> None:
    assert choose_file(image_size, official_files("pathmnist")).side == side


def test_every_official_file_has_a_checksum_of_its_own() -> None:
    files = [file for name in NAMES if name != "chestmnist" for file in official_files(name)]

    assert len({file.md5 for file in files}) == len({file.name for file in files}) == len(files) == 44
    assert all(len(file.md5) == 32 for file in files)


def test_every_set_that_can_be_trained_on_has_names_of_its_classes() -> None:
    assert set(NAMES) == set(CLASSES)
    assert set(NAMES) <= set(NAMED)


def test_a_set_of_nine_classes_is_read_with_their_names(tmp_path: Path, progress: Remembering) -> None:
    labels = (np.arange(18) % 9)[:, None]
    images = np.zeros((18, 28, 28, 3), np.uint8) + (25 * labels)[..., None, None].astype(np.uint8)
    arrays: dict[str, np.ndarray] = {}
    for split in ("train", "val", "test"):
        arrays |= {f"{split}_images": images, f"{split}_labels": labels}
    save_npz(tmp_path / "pathmnist.npz", arrays)
    digest = hashlib.md5((tmp_path / "pathmnist.npz").read_bytes()).hexdigest()
    file = OfficialFile(28, "pathmnist.npz", digest)

    read = prepare_medmnist("pathmnist", OPTIONS, "http://127.0.0.1:9", (file,), tmp_path)(progress)

    assert read.classes[0] == "adipose"
    assert len(read.classes) == 9
    assert read.positive is None


def test_label_0_of_breastmnist_is_the_positive_one() -> None:
    known = positive_class(CLASSES["breastmnist"], None)

    assert known is not None
    assert known.label == 0


def test_a_set_with_several_labels_is_refused_with_the_others_named() -> None:
    with pytest.raises(InputError, match=r"chestmnist: each of its images has 14 labels.* pathmnist"):
        prepare_medmnist("chestmnist", OPTIONS)


def test_a_user_without_a_home_learns_which_variable_to_set(
    monkeypatch: pytest.MonkeyPatch, progress: Remembering
) -> None:
    monkeypatch.setattr("models.sources.medmnist_files.user_cache", lambda: None)

    with pytest.raises(InputError, match=r"pneumoniamnist: this user has no home folder.*EDGEFIT_CACHE"):
        prepare_medmnist("pneumoniamnist", OPTIONS)(progress)
