"""An option of fine-tuning that no data could make good is refused before anything is loaded."""

import pytest

from models.errors import InputError
from models.options import FinetuneOptions, check_options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"image_size": 0}, "--image-size 0 is out of range; give an integer from 32 to 1024"),
        ({"image_size": 10**6}, "--image-size 1000000 is out of range"),
        ({"epochs": 0}, "--epochs 0 is out of range"),
        ({"epochs": 10**30}, "--epochs 1000"),
        ({"seed": -1}, "--seed -1 is out of range"),
        ({"seed": 2**70}, "--seed 11805"),
        ({"unfreeze": -1}, "--unfreeze -1 is out of range"),
        ({"unfreeze": 10**9}, "--unfreeze 1000000000 is out of range"),
        ({"arch": "nonsense"}, "nonsense"),
        ({"weights": "nonsense"}, "--weights nonsense is neither a name nor an existing file"),
    ],
)
def test_an_option_out_of_range_is_refused(options: dict[str, int | str], said: str) -> None:
    given: dict[str, object] = {"data": "nowhere", "weights": "none", **options}

    with pytest.raises(InputError, match=said):
        check_options(FinetuneOptions(**given))  # type: ignore[arg-type]
