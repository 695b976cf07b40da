"""The card of an artifact that was made from no run folder: its origin, inputs, output and limits."""

from collections.abc import Sequence

import pytest

from bench.bundle.evaluation_pack import FILE_NAME
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.manifest import FileRecord, Manifest, ModelRecord, PackRecord
from bench.bundle.model_set import InputOrigin
from bench.bundle.signature import Signature, Tensor
from bench.bundle.source_record import (
    OutputRecord,
    PreprocessCheck,
    RivalRecord,
    SourceKind,
    SourceRecord,
)
from bench.choose.ship.card_bundle import input_section, limits_of_use, network_of

STEPS = Preprocess(
    input_size=(3, 16, 24), resize="crop", scale=1.0, mean=(0.0,) * 3, std=(1.0,) * 3, channels="bgr"
)
IMAGE = Tensor(name="image", dtype="float32", shape=(1, 3, 16, 24))
SCORES = Tensor(name="scores", dtype="float32", shape=(1, 2))


def output(kind: str, activation: str) -> OutputRecord:
    stated = {"name": "scores", "index": 0, "kind": kind, "activation": activation}
    return OutputRecord.model_validate(stated)


def manifest(
    judged: OutputRecord,
    classes: Sequence[str] = (),
    steps: Preprocess | None = STEPS,
    labelled: bool = True,
    inputs: tuple[Tensor, ...] = (IMAGE,),
    outputs: int = 1,
    **source: object,
) -> Manifest:
    record = SourceRecord(
        kind=SourceKind.TIMM,
        name="timm/test_vit",
        sha256="cd" * 32,
        variant=None,
        signature=Signature(inputs=inputs, outputs=(SCORES,) * outputs),
        output=judged,
    )
    return Manifest(
        schema=2,
        tool="0",
        name="net",
        created="2026-01-01T00:00:00+00:00",
        model=ModelRecord(
            arch="test_vit",
            classes=tuple(classes),
            image_size=None,
            weights="best.pt",
            data="photos",
            source=record.model_copy(update=source),
        ),
        preprocessing=steps,
        pack=PackRecord(
            file=FileRecord(path=FILE_NAME, sha256="0" * 64, size_bytes=1), images=9, labelled=labelled
        ),
        artifacts=(),
    )


CLASSES = output("classes", "softmax")


def test_the_origin_is_the_source_and_nothing_was_fine_tuned() -> None:
    words = network_of(manifest(CLASSES, ["cat", "dog"], outputs=3))

    assert words == (
        "test_vit, classes cat, dog; made from `timm/test_vit` (timm, weights `best.pt`, SHA-256 "
        "cdcdcdcdcdcdcdcd), evaluated on photos.\n\n"
        "`classify.py` shows its output `scores`, one of its 3 outputs: probabilities that add up to 1 "
        "(softmax)."
    )
    assert "fine-tuned" not in words


def test_a_thousand_classes_do_not_fill_the_card() -> None:
    many = manifest(CLASSES, [f"class{index}" for index in range(1000)])

    assert "class19 and 980 more, see `classify.py`" in network_of(many)
    assert "It has 1000 classes (class0, " in limits_of_use(many)
    assert "class20" not in network_of(many) + limits_of_use(many)


def test_a_name_from_a_file_breaks_no_markdown() -> None:
    words = network_of(manifest(CLASSES.model_copy(update={"name": "a`\n# b"})))

    assert "`a'\\n# b`" in words


@pytest.mark.parametrize(
    ("judged", "classes", "sentence"),
    [
        (CLASSES, ("cat", "dog"), "It has 2 classes (cat, dog) and gives one of them to every image, even"),
        (CLASSES, (), "It has classes without names and gives one of them to every image"),
        (
            output("labels", "sigmoid"),
            ("wet", "hot"),
            "It has 2 labels (wet, hot) and gives a probability of",
        ),
        (output("values", "none"), (), "It gives values to every image, even to an ordinary photograph."),
    ],
)
def test_it_says_what_every_image_gets(judged: OutputRecord, classes: tuple[str, ...], sentence: str) -> None:
    assert sentence in limits_of_use(manifest(judged, classes))


def test_without_labels_accuracy_is_unknown() -> None:
    labelled, unlabelled = manifest(CLASSES), manifest(CLASSES, labelled=False)

    assert "The accuracy holds for images of photos." in limits_of_use(labelled)
    assert "Its accuracy is unknown, because photos has no labels." in limits_of_use(unlabelled)
    assert "The accuracy holds" not in limits_of_use(unlabelled)


def test_arrays_are_listed_with_their_types_and_shapes() -> None:
    ids = Tensor(name="ids", dtype="int64", shape=(1, 4))
    arrays = manifest(output("values", "none"), steps=None, inputs=(ids, IMAGE))

    section = input_section(arrays)

    assert "- `ids`: int64 [1, 4]\n- `image`: float32 [1, 3, 16, 24]" in section
    assert "image becomes" not in section
    assert "to every input, even to noise" in limits_of_use(arrays)


def check(trusted: bool, *rivals: RivalRecord) -> PreprocessCheck:
    return PreprocessCheck(images=64, correct=40, rivals=rivals, trusted=trusted)


WORSE = RivalRecord(name="values from 0 to 255", correct=20, verdict="worse")
EQUAL = RivalRecord(name="crop instead of squash", correct=41, verdict="equal")
BETTER = RivalRecord(name="RGB", correct=60, verdict="better")


def test_preprocessing_has_its_origin_and_its_check() -> None:
    origins = (
        InputOrigin(keys=("resize", "mean"), origin="config.json"),
        InputOrigin(keys=("channels",), origin="an option"),
    )

    section = input_section(manifest(CLASSES, origins=origins, check=check(False, WORSE, EQUAL)))

    assert f"{STEPS.words[1:]}. `preprocess.py` does just that." in section
    assert "Its origin: resize, mean from config.json; channels from an option." in section
    assert "the source classifies 40 of 64 labelled images correctly with it." in section
    assert "Significantly worse is: values from 0 to 255 (20)." in section
    assert "Not significantly different is: crop instead of squash (41)." in section
    assert "better" not in section


def test_a_better_rival_that_the_user_did_not_take_is_not_hidden() -> None:
    section = input_section(manifest(CLASSES, check=check(True, BETTER)))

    assert "**Significantly better is: RGB (60).** The user chose to go on without it." in section


def test_unchecked_preprocessing_says_so() -> None:
    assert "It was not checked by measuring" in input_section(manifest(CLASSES))
