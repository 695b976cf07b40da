"""What export takes from a run folder."""

import json
from pathlib import Path

import pytest
from making.run_source import prepared_run

from bench.bundle.preprocessing import PreprocessingRecord


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
