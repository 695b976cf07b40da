"""The card of an artifact that was made from no run folder: its origin, inputs, output and limits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from making.compared_report import Row, made_report
from making.repository import SCHEMA_1
from making.shippable import ImageNetwork, make_image_bundle

from bench.bundle.evaluation_pack import FILE_NAME
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.manifest import FileRecord, Manifest, ModelRecord, PackRecord, read_bundle
from bench.bundle.model_set import InputOrigin
from bench.bundle.signature import Signature, Tensor
from bench.bundle.source_record import (
    OutputRecord,
    PreprocessCheck,
    RivalRecord,
    SourceKind,
    SourceRecord,
)
from bench.choose.choosing import Criteria, choose
from bench.choose.ship.card import card_of
from bench.choose.ship.card_bundle import input_section, limits_of_use, network_of
from bench.report.schema import LabelAccuracy
from device_profiles.settings import Budget

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


def section_of(made: Manifest) -> str:
    """Return the section for an artifact that names its inputs by number."""
    assert made.model.source is not None
    inputs = tuple(
        tensor.model_copy(update={"name": f"input_{index}"})
        for index, tensor in enumerate(made.model.source.signature.inputs)
    )
    signature = Signature(inputs=inputs, outputs=())
    artifact = read_bundle(SCHEMA_1).manifest.artifacts[0].model_copy(update={"signature": signature})
    return input_section(made, artifact)


CLASSES = output("classes", "softmax")


def test_the_origin_is_the_source_and_nothing_was_fine_tuned() -> None:
    words = network_of(manifest(CLASSES, ["cat", "dog"], outputs=3))

    assert words == (
        r"test\_vit with classes cat, dog; made from `timm/test_vit` (timm, weights `best.pt`, SHA-256 "
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

    assert "`a' # b`" in words


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

    section = section_of(arrays)

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

    section = section_of(manifest(CLASSES, origins=origins, check=check(False, WORSE, EQUAL)))

    assert f"{STEPS.words[1:]}. `preprocess.py` does just that." in section
    assert "Its origin: resize, mean from config.json; channels from an option." in section
    assert "the source is right on 40 of 64 labelled images with it." in section
    assert "Significantly worse is: values from 0 to 255 (20)." in section
    assert "Not significantly different is: crop instead of squash (41)." in section
    assert "better" not in section


def test_a_better_rival_that_the_user_did_not_take_is_not_hidden() -> None:
    section = section_of(manifest(CLASSES, check=check(True, BETTER)))

    assert "**Significantly better is: RGB (60).** The user chose to go on without it." in section


def test_labels_are_counted_and_another_order_of_the_classes_is_said() -> None:
    found = check(True).model_copy(update={"decisions_each": 2, "fitting_order": (1, 0)})

    section = section_of(manifest(CLASSES, ("cat", "dog"), check=found))

    assert "the source is right on 40 of 128 labels of 64 images with it." in section
    assert "**The source's answers fit the classes in another order: dog, cat.**" in section


MEASURED = {
    "images": 50,
    "decisions": 150,
    "top1": 0.9,
    "auc": None,
    "macro_auc": 0.875,
    "balanced_accuracy": 0.8,
    "agreement": 0.98,
    "sqnr_db": 31.26,
    "by_label": (LabelAccuracy(label=1, positives=7, auc=0.75, sensitivity=1.0, specificity=1.0, f1=1.0),),
}
UNLABELLED: dict[str, object] = {"top1": None, "retention": None, "by_label": (), "macro_auc": None}
UNLABELLED |= {"balanced_accuracy": None, "decisions": None}


def card_with(folder: Path, **accuracy: object) -> str:
    """Return the card of a network with three labels, whose row has these figures."""
    made = make_image_bundle(
        folder, ImageNetwork(STEPS, output("labels", "sigmoid"), end="Sigmoid", classes=("wet", "a|b", "hot"))
    )
    bundle = read_bundle(made.folder)
    ((choice, chosen),) = choose([made_report({"onnx-fp32": Row(10)})], Criteria(Budget()))
    assert chosen is not None
    assert chosen.run.summary is not None
    assert chosen.run.summary.accuracy is not None
    figures = chosen.run.summary.accuracy.model_copy(update=MEASURED | accuracy)
    summary = chosen.run.summary.model_copy(update={"accuracy": figures})
    chosen = replace(chosen, run=chosen.run.model_copy(update={"summary": summary}))
    return card_of(choice, chosen, bundle, *bundle.select(["onnx-fp32"]))


def test_the_card_of_several_labels_has_the_figures_of_each(tmp_path: Path) -> None:
    card = card_with(tmp_path / "bundle")

    assert "| accuracy | 0.900 | 3 labels on each of 50 evaluation images, with this file |" in card
    assert "| retention | 1.000 (0.998 to 1.002) | of the source's accuracy" in card
    assert "| macro AUC | 0.875 | mean over the classes or labels, same images |" in card
    assert "| AUC | " not in card
    assert r"| AUC of a\|b | 0.750 | it applies to 7 of these images |" in card
    assert "| agreement | 0.980 | with the source's outputs, 50 evaluation samples, with this file |" in card
    assert "| SQNR | 31.3 dB | " in card


def test_the_card_without_labels_has_agreement_alone(tmp_path: Path) -> None:
    card = card_with(tmp_path / "bundle", **UNLABELLED)

    assert "| agreement | 0.980 |" in card
    for name in ("accuracy", "retention", "AUC", "sensitivity"):
        assert f"| {name}" not in card


def test_unchecked_preprocessing_says_so() -> None:
    assert "It was not checked by measuring" in section_of(manifest(CLASSES))


def test_the_card_says_which_class_its_sensitivity_is_about(tmp_path: Path) -> None:
    (line,) = [
        line
        for line in card_with(tmp_path, sensitivity=0.9, specificity=0.8).splitlines()
        if line.startswith("| sensitivity, specificity")
    ]

    assert "| 0.900, 0.800 | positive: pneumonia; " in line
