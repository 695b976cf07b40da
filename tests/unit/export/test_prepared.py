"""What export takes from a run folder."""

import json
from pathlib import Path

import pytest
from making.run_source import prepared_run

from bench.bundle.preprocessing import PreprocessingRecord
from models.errors import InputError


@pytest.mark.parametrize(
    ("stated", "orientation", "white"),
    [
        ({}, "ignored", 65535),
        ({"orientation": "applied", "sixteen_bit_divide_by": 4095 / 255}, "applied", 4095),
    ],
)
def test_a_run_hands_on_how_its_images_were_read_and_an_old_one_how_they_once_were(
    own_run_folder: Path, stated: dict[str, object], orientation: str, white: int
) -> None:
    path = own_run_folder / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "preprocessing": stated}))

    preprocessing = prepared_run(own_run_folder).preprocessing

    assert isinstance(preprocessing, PreprocessingRecord)
    assert (preprocessing.orientation, preprocessing.sixteen_bit_white) == (orientation, white)


@pytest.mark.parametrize(
    ("key", "value"), [("name", "films\u202e"), ("classes", ["dark", "bright\n"]), ("name", "a" * 1001)]
)
def test_a_run_with_a_name_that_no_bundle_can_hold_is_refused_before_the_work(
    own_run_folder: Path, key: str, value: object
) -> None:
    path = own_run_folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    with pytest.raises(InputError, match=rf"run.json: {key} '.*': it has .*; change it there, or fine-tune"):
        prepared_run(own_run_folder)


def test_a_run_with_a_mark_that_a_bundle_can_hold_is_exported_as_before(own_run_folder: Path) -> None:
    path = own_run_folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "films\u200f"}))

    assert prepared_run(own_run_folder).name == "films\u200f"
