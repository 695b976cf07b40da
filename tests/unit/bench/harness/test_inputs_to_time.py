"""What a worker reads to time inferences: eight images, however many the evaluation pack has."""

from pathlib import Path

import numpy as np

from bench.bundle.evaluation_pack import EvaluationPack, write_pack
from bench.bundle.signature import image_input
from bench.harness.worker import _read_inputs
from bench.harness.worker_messages import Load
from bench.run_config import RunConfig

SIDE = 64


def load(pack: Path | None) -> Load:
    return Load(
        module="none",
        entry="none",
        files=(),
        config=RunConfig(provider="cpu", threads=1),
        cpus=None,
        inputs=(image_input(SIDE),),
        pack=None if pack is None else str(pack),
    )


def test_a_worker_that_times_reads_the_first_eight_images_and_no_others(tmp_path: Path) -> None:
    """The file is damaged behind them, which nobody notices who does not read so far."""
    images = np.random.default_rng(0).integers(0, 255, (64, SIDE, SIDE), dtype=np.uint8)
    path = tmp_path / "evaluation.npz"
    write_pack(path, EvaluationPack(images, None, np.zeros((64, 2), np.float32)))
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(100))

    read = _read_inputs(load(path))

    assert len(read) == 8
    assert np.array_equal(read[7][0][0, 0], images[7].astype(np.float32) / 255)


def test_the_memory_of_a_case_is_read_without_any_pack() -> None:
    (batch,) = _read_inputs(load(None))

    assert batch[0].shape == (1, 3, SIDE, SIDE)
    assert set(batch[0].ravel()) == {0.5}
