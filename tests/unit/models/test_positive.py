"""The positive class is the stated one, or the one that the names tell, or it is said that nothing tells."""

import pytest

from models.errors import InputError
from models.positive import by_names, positive_class
from models.sources.medmnist import CLASSES


@pytest.mark.parametrize(
    ("healthy", "ill"),
    [
        ("benign", "malignant"),
        ("NORMAL", "PNEUMONIA"),
        ("non-COVID", "COVID"),
        ("NonCOVID", "COVID"),
        ("COVID-negative", "COVID-positive"),
        ("no_tb", "tb"),
        ("notumor", "tumor"),
        ("No Finding", "Effusion"),
        ("noFinding", "Mass"),
        ("normal", "benign"),
        ("normal or benign", "malignant"),
        ("healthy", "unhealthy"),
        ("normal", "not normal"),
        ("normal", "abnormal"),
        ("Uninfected", "Parasitized"),
        ("tumor-free", "tumor"),
        ("Normal2", "Lung_Opacity"),
        ("control", "case"),
        ("nevus", "melanoma"),
        ("without_mask", "with_mask"),
        ("no", "yes"),
        ("false", "true"),
        ("gesund", "krank"),
        ("unauffällig", "auffällig"),
        ("ohne Befund", "Befund"),
        ("gutartig", "bösartig"),
        ("sano", "enfermo"),
        ("sin neumonía", "con neumonía"),
        ("bénin", "malin"),
        ("sain", "malade"),
        ("senza polmonite", "polmonite"),
        ("saudável", "doente"),
        ("阴性", "阳性"),
    ],
)
def test_the_names_tell_which_of_two_classes_is_healthy(healthy: str, ill: str) -> None:
    assert by_names((healthy, ill)) == 1
    assert by_names((ill, healthy)) == 0


@pytest.mark.parametrize(
    "names",
    [("0", "1"), ("a", "b"), ("cat", "dog"), ("viral pneumonia", "bacterial pneumonia"), ("left", "right")],
)
def test_names_that_do_not_tell_are_said(names: tuple[str, str]) -> None:
    positive = positive_class(names, None)

    assert positive is not None
    assert positive.label == 1
    assert f"label 1, '{names[1]}', counts as positive" in positive.sentence
    assert f"if it is '{names[0]}', state it with --positive" in positive.sentence


def test_every_known_set_of_two_classes_tells_its_positive_class() -> None:
    told = {name: classes[by_names(classes) or 0] for name, classes in CLASSES.items() if len(classes) == 2}

    assert told == {"pneumoniamnist": "pneumonia", "breastmnist": "malignant"}
    assert by_names(CLASSES["breastmnist"]) == 0


def test_a_stated_class_comes_before_the_names() -> None:
    positive = positive_class(("normal", "pneumonia"), "normal")

    assert positive is not None
    assert positive.label == 0


def test_several_classes_have_no_positive_one() -> None:
    assert positive_class(("a", "b", "c"), None) is None
    with pytest.raises(InputError, match=r"--positive a: the data has 3 classes \(a, b, c\)"):
        positive_class(("a", "b", "c"), "a")


def test_a_stated_class_that_does_not_exist_is_an_error_that_names_both() -> None:
    with pytest.raises(InputError, match="--positive ill: the data has no such class; choose 'a' or 'b'"):
        positive_class(("a", "b"), "ill")
