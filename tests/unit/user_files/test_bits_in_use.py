"""Which value is white in the 16-bit images of a data set."""

from pathlib import Path

import numpy as np
import pytest
from making.odd_images import deep, png_of_16_bits, readable, unreadable, write
from PIL import Image

from user_files.bits_in_use import BitsInUse, ImageFacts, bits_in_use, facts_of


def seen(*brightest: int | None) -> BitsInUse:
    return bits_in_use(ImageFacts(f"{index}.png", value) for index, value in enumerate(brightest))


@pytest.mark.parametrize(
    ("brightest", "white"),
    [
        (0, 255),
        (200, 255),
        (256, 511),
        (1000, 1023),
        (3312, 4095),
        (4096, 8191),
        (16383, 16383),
    ],
)
def test_white_is_the_highest_value_of_the_bits_in_use(brightest: int, white: int) -> None:
    survey = seen(brightest, brightest // 2)

    assert survey.white == white
    assert f"The brightest value of 2 16-bit images is {brightest}: " in survey.notes[0]
    assert f"{white} counts as white in all of them" in survey.notes[0]


def test_all_16_bits_in_use_need_no_word() -> None:
    assert seen(40_000, 60_000, None) == BitsInUse(65535)


def test_images_of_8_bits_have_nothing_to_say() -> None:
    assert seen(None, None) == BitsInUse(65535)


def test_images_of_8_bits_do_not_count_among_those_of_16() -> None:
    assert "of 2 16-bit images is 3312" in seen(None, 3312, None, 3000).notes[0]


def test_one_image_that_is_far_brighter_than_the_rest_is_named() -> None:
    survey = seen(3100, 65535, 3312, 3200)

    assert survey.white == 65535
    assert survey.notes == ()
    (warning,) = survey.white_warnings
    assert warning == (
        "Of 4 16-bit images half have no value above 3200, and 1.png has 65535, so they are nearly black. "
        "If that is a burnt-in mark or another device, save all in one range."
    )


def test_files_with_several_pictures_are_counted() -> None:
    survey = bits_in_use([ImageFacts("a.tif", None, 3), ImageFacts("b.png"), ImageFacts("c.gif", None, 2)])

    assert survey.other_warnings == ("2 files hold several pictures (a.tif: 3); the first of each is used.",)


def test_facts_are_those_of_the_file(tmp_path: Path) -> None:
    files = {name: readable()[name] for name in ("grey.png", "pages.tif", "frames.gif", "frames.webp")}
    files |= {"colours.png": png_of_16_bits(np.stack([deep(12)] * 3, axis=2))}
    Image.fromarray(deep(12)).save(tmp_path / "deep.png")
    facts = {path.name: facts_of(path) for path in [*write(tmp_path, files), tmp_path / "deep.png"]}

    assert {name: (fact.brightest, fact.pictures) for name, fact in facts.items()} == {
        "grey.png": (None, 1),
        "pages.tif": (None, 2),
        "frames.gif": (None, 2),
        "frames.webp": (None, 2),
        "colours.png": (3855, 1),
        "deep.png": (4095, 1),
    }


@pytest.mark.parametrize("name", unreadable())
def test_of_what_cannot_be_read_nothing_is_known(tmp_path: Path, name: str) -> None:
    (path,) = write(tmp_path, {name: unreadable()[name][0]})

    assert facts_of(path).brightest is None
