"""The steps of a paper's table: which are left, and what may be done in a folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.paper_work import Network, Settings, Step, Work, do, networks_of, write_part

from models.dataset import Dataset, Split
from models.errors import InputError

SETTINGS = Settings(
    data="synthetic",
    images=40,
    epochs=1,
    image_size=32,
    speed_size=64,
    mobilenet_weights="",
    networks=["mobilenet_v2-imagenet", "mobilenet_v2-none", "vgg16-none"],
    quick=True,
)
FIRST, AGAIN = Network("mobilenet_v2", "imagenet"), Network("mobilenet_v2", "none")


def test_mobilenet_v2_is_trained_from_none_too_where_others_are() -> None:
    other = Network("vgg16", "none")

    assert networks_of([other, FIRST]) == [FIRST, AGAIN, other]
    assert networks_of([AGAIN, other]) == [AGAIN, other]
    assert networks_of([FIRST, Network("vgg16", "imagenet")]) == [FIRST, Network("vgg16", "imagenet")]


def test_a_folder_of_other_options_is_refused_by_the_option(tmp_path: Path) -> None:
    networks = [FIRST, AGAIN, Network("vgg16", "none")]
    Work(tmp_path / "work", SETTINGS, networks).claim()
    Work(tmp_path / "work", SETTINGS, networks).claim()

    with pytest.raises(
        InputError, match=r"settings.json: epochs is 1, and the options say 3; .* another --work"
    ):
        Work(tmp_path / "work", replace(SETTINGS, epochs=3), networks).claim()


def test_every_step_leaves_a_result_of_its_own(tmp_path: Path) -> None:
    work = Work(tmp_path, SETTINGS, [FIRST, AGAIN, Network("vgg16", "none")])
    steps = [*work.training(), *work.measuring()]

    assert len({step.result for step in steps}) == len(steps)
    assert steps[-1].result == tmp_path / "comparison"


def test_what_has_a_result_is_not_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    (tmp_path / "a").touch()
    do([Step(name, tmp_path / name, 60, lambda name=name: done.append(name)) for name in "abc"])  # type: ignore[misc]

    assert done == ["b", "c"]
    assert "1 of 2: b; about 2 minutes left" in capsys.readouterr().err


def test_a_part_of_the_data_has_the_keys_that_finetune_reads(tmp_path: Path) -> None:
    split = Split(np.zeros((20, 8, 8), np.uint8), np.arange(20, dtype=np.int64) % 2)
    write_part(tmp_path / "part.npz", Dataset("films", ("dark", "bright"), split, split, split), 10, 4, 20)

    with np.load(tmp_path / "part.npz") as part:
        assert {name: len(part[f"{name}_images"]) for name in ("train", "val", "test")} == {
            "train": 10,
            "val": 4,
            "test": 20,
        }
        assert part["train_labels"].sum() == 5
        assert list(part["classes"]) == ["dark", "bright"]
    assert [path.name for path in tmp_path.iterdir()] == ["part.npz"]
