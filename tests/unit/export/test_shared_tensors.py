"""What several workers need is made by one of them."""

import threading
from pathlib import Path

import torch
from torch import Tensor

from export.networks import _shared_tensors


def test_workers_that_need_the_same_tensors_at_once_wait_for_the_one_that_makes_them(tmp_path: Path) -> None:
    made: list[int] = []
    others_wait = threading.Event()

    def make() -> dict[str, Tensor]:
        made.append(1)
        others_wait.wait(timeout=0.2)
        return {"weight": torch.ones(2)}

    found: list[dict[str, Tensor]] = []
    pack = str(tmp_path / "calibration.npz")
    workers = [
        threading.Thread(target=lambda: found.append(_shared_tensors(pack, "ranges", make))) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert made == [1]
    assert all(torch.equal(tensors["weight"], torch.ones(2)) for tensors in found)
    assert len(found) == 3


def test_tensors_that_share_their_memory_are_stored(tmp_path: Path) -> None:
    tied = torch.arange(3.0)
    found = _shared_tensors(str(tmp_path / "calibration.npz"), "tied", lambda: {"first": tied, "last": tied})

    assert torch.equal(found["last"], tied)


def test_a_file_that_was_left_unfinished_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".ranges.safetensors.1-00000000.part").write_bytes(b"half")
    found = _shared_tensors(str(tmp_path / "calibration.npz"), "ranges", lambda: {"a": torch.zeros(1)})

    assert list(found) == ["a"]
