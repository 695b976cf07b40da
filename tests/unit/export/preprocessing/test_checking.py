"""A stated preprocessing is measured against rivals, with a network whose right preprocessing is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

from bench.bundle.input_arrays import to_input
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.judged_output import CLASSES
from bench.bundle.source_record import OutputRecord
from bench.bundle.stated_preprocessing import PRESETS
from bench.errors import InputError
from export.data.images import LabelledImages
from export.data.samples import Samples
from export.preprocessing.checking import MOST_IMAGES, check_preprocess
from export.preprocessing.rivals import other_geometries, rivals_of
from user_files.bits_in_use import BitsInUse, bits_in_use

SIDE = 4
NAMES = ("red", "green", "blue")
UNIT = Preprocess(
    input_size=(3, SIDE, SIDE), resize="squash", mean=(0.0,) * 3, std=(1.0,) * 3, channels="rgb"
)
RAW = UNIT.model_copy(update={"scale": 1.0})
BGR = UNIT.model_copy(update={"channels": "bgr"})
GREY = Preprocess(input_size=(1, SIDE, SIDE), resize="squash", mean=(0.0,), std=(1.0,), channels="grey")
LABELS_OUTPUT = OutputRecord(name="colours", index=0, kind="labels", activation="logits")

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Colours:
    """Images of one colour each, which no resizing changes."""

    pixels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, indices: Sequence[int], preprocess: Preprocess) -> npt.NDArray[np.uint8]:
        chosen = self.pixels[list(indices)]
        return chosen.mean(axis=3).astype(np.uint8) if preprocess.channels == "grey" else chosen

    def survey(self, indices: Sequence[int]) -> BitsInUse:
        return bits_in_use(())

    def sources_sha256(self, indices: Sequence[int]) -> str:
        return "0" * 64


def coloured(count: int = 70, classes: Sequence[str] = NAMES) -> LabelledImages:
    """Return noisy images whose class is the brightest channel; a tenth of the labels are wrong."""
    random = np.random.default_rng(4)
    labels = np.arange(count) % 3
    pixels = random.integers(60, 140, (count, SIDE, SIDE, 3))
    pixels[np.arange(count), :, :, labels] += 50
    wrong = random.permutation(count)[: count // 10]
    labels[wrong] = (labels[wrong] + 1) % 3
    none = np.array([], dtype=np.int64)
    images = Colours(pixels.astype(np.uint8))
    return LabelledImages("photos", images, labels, tuple(classes), np.arange(count), none, none, ())


def network(right: Preprocess) -> Callable[[Samples], Values]:
    """Return what answers the brightest colour if images are prepared as is right."""
    centres = np.full((3, SIDE, SIDE, 3), 100, dtype=np.uint8)
    centres[np.arange(3), :, :, np.arange(3)] = 150
    known = np.stack([_means(image, right) for image in centres])

    def answers(samples: Samples) -> Values:
        assert samples.images is not None
        assert samples.preprocess is not None
        seen = np.stack([_means(image, samples.preprocess) for image in samples.images])
        size = np.ptp(known) / 4
        # Values far from those in training saturate, and the first class is left.
        colours = seen[:, ::-1] if right.channels == "bgr" else seen
        scores = 3 * np.tanh((colours - known.mean()) / size) + np.array([0.1, 0, -0.1])
        return np.asarray(scores, dtype=np.float32)

    return answers


def _means(image: npt.NDArray[np.uint8], preprocess: Preprocess) -> npt.NDArray[np.float64]:
    means: npt.NDArray[np.float64] = to_input(image, preprocess, "NCHW", "float32").mean(axis=(0, 2, 3))
    return means


def test_the_right_preprocessing_goes_on_and_is_recorded() -> None:
    checked = check_preprocess(coloured(), UNIT, CLASSES, network(UNIT), trust=False)

    assert checked.record is not None
    assert (checked.record.images, checked.record.trusted) == (MOST_IMAGES, False)
    assert checked.record.correct >= 55
    verdicts = {rival.name: rival.verdict for rival in checked.record.rivals}
    assert verdicts == {
        "values from 0 to 255": "worse",
        "values from −1 to 1": "worse",
        "ImageNet's mean and std": "equal",
        "channels in the order BGR": "worse",
        "values from 0 to 255 and channels in the order BGR": "worse",
        "values from −1 to 1 and channels in the order BGR": "worse",
        "ImageNet's mean and std and channels in the order BGR": "worse",
    }
    assert checked.notes == (
        "photos: 64 images cannot tell the stated preprocessing from: ImageNet's mean and std",
    )


def test_a_wrong_range_stops_with_both_figures_and_the_remedy() -> None:
    with pytest.raises(
        InputError,
        match=r"photos: 2\d of 64 images are right as stated; 5\d of 64 with values from 0 to 255 "
        r"\(p below 0.0001\).*--preprocess raw.*or go on with --trust-preprocess\. Stated was: squash to 4×4",
    ):
        check_preprocess(coloured(), UNIT, CLASSES, network(RAW), trust=False)


def test_channels_in_the_wrong_order_stop_and_the_other_explanation_is_named() -> None:
    with pytest.raises(
        InputError, match=r"channels in the order BGR.*channels: bgr.*classes in the order blue, green, red"
    ):
        check_preprocess(coloured(), UNIT, CLASSES, network(BGR), trust=False)


def test_with_trust_it_goes_on_with_a_note() -> None:
    checked = check_preprocess(coloured(), UNIT, CLASSES, network(RAW), trust=True)

    assert checked.record is not None
    assert checked.record.trusted
    assert any("--trust-preprocess goes on" in note for note in checked.notes)


def test_classes_in_another_order_stop() -> None:
    images = coloured()
    assert images.labels is not None
    # The network's first class is green, its second blue, its third red.
    moved = replace(images, labels=(images.labels - 1) % 3, classes=("green", "blue", "red"))

    with pytest.raises(
        InputError, match=r"fit the classes in the order red, green, blue: 5\d of 64 instead of 7"
    ):
        check_preprocess(moved, UNIT, CLASSES, network(UNIT), trust=False)


def test_without_labels_nothing_is_checked_and_a_note_says_so() -> None:
    checked = check_preprocess(replace(coloured(), labels=None), RAW, CLASSES, network(UNIT), trust=False)

    assert checked.record is None
    assert any("without labels nothing checks" in note for note in checked.notes)
    assert any("the output is the same" in note for note in checked.notes)


@pytest.mark.parametrize(
    ("images", "why"),
    [
        (replace(coloured(), labels=None), "without labels nothing checks how images are prepared"),
        (replace(coloured(), calibration=np.array([], dtype=np.int64)), "no image is left"),
    ],
    ids=["no labels", "no images"],
)
def test_trust_is_refused_where_nothing_is_checked(images: LabelledImages, why: str) -> None:
    with pytest.raises(InputError, match=rf"^--trust-preprocess: photos: {why}.*; leave it out$"):
        check_preprocess(images, UNIT, CLASSES, network(UNIT), trust=True)


def test_a_constant_output_is_noted() -> None:
    def dead(samples: Samples) -> Values:
        return np.ones((len(samples), 3), dtype=np.float32)

    checked = check_preprocess(coloured(), UNIT, CLASSES, dead, trust=False)

    assert any("the output is the same for 64 images" in note for note in checked.notes)
    assert any("cannot tell the stated preprocessing from: values from 0" in note for note in checked.notes)


def test_few_images_are_noted() -> None:
    checked = check_preprocess(coloured(12), UNIT, CLASSES, network(UNIT), trust=False)

    assert checked.record is not None
    assert checked.record.images == 12
    assert any("12 images check the preprocessing, which is few" in note for note in checked.notes)


def test_several_labels_are_checked_by_their_decisions() -> None:
    images = coloured()
    assert images.labels is not None
    several = replace(images, labels=np.eye(3, dtype=np.int64)[images.labels])
    centre = network(RAW)

    def labels_of(samples: Samples) -> Values:
        scores = centre(samples)
        is_best = scores == scores.max(axis=1, keepdims=True)
        return np.where(is_best, 2.0, -2.0).astype(np.float32)

    with pytest.raises(InputError, match=r"of 192 decisions are right as stated.*of 192 with values"):
        check_preprocess(several, UNIT, LABELS_OUTPUT, labels_of, trust=False)


def test_two_wrong_parts_are_found_together() -> None:
    raw_bgr = RAW.model_copy(update={"channels": "bgr"})

    with pytest.raises(
        InputError,
        match="with values from 0 to 255 and channels in the order BGR .*"
        r"--preprocess raw and 'input: \{channels: bgr\}' in edgefit.yaml",
    ):
        check_preprocess(coloured(), UNIT, CLASSES, network(raw_bgr), trust=False)


def test_wrong_values_and_a_wrong_way_to_resize_are_found_together() -> None:
    @dataclass(frozen=True)
    class Framed(Colours):
        """Images whose colour only the cut shows."""

        def read(self, indices: Sequence[int], preprocess: Preprocess) -> npt.NDArray[np.uint8]:
            shown = super().read(indices, preprocess)
            return shown if preprocess.resize == "crop" else np.full_like(shown, 100)

    plain = coloured()
    framed = replace(plain, images=Framed(plain.images.read(range(len(plain.images)), UNIT)))

    with pytest.raises(InputError, match="with values from 0 to 255 and the middle cut out"):
        check_preprocess(framed, UNIT, CLASSES, network(RAW), trust=False)


def test_only_rivals_in_one_part_are_shown_unless_they_are_better() -> None:
    record = check_preprocess(coloured(), RAW, CLASSES, network(RAW), trust=False).record

    assert record is not None
    assert {rival.parts for rival in record.rivals if rival.verdict == "worse"} == {1, 2}
    assert {rival.parts for rival in record.worth_showing("worse")} == {1}


def test_rivals_are_the_usual_mistakes_that_change_something() -> None:
    names = [rival.name for rival in rivals_of(UNIT, is_coloured=True, dtype="float32")]

    assert names == [
        "values from 0 to 255",
        "values from −1 to 1",
        "ImageNet's mean and std",
        "channels in the order BGR",
        "values from 0 to 255 and channels in the order BGR",
        "values from −1 to 1 and channels in the order BGR",
        "ImageNet's mean and std and channels in the order BGR",
    ]
    assert [rival.name for rival in rivals_of(UNIT, False, "float32")] == names[:3]


def test_the_way_to_resize_has_rivals_that_keep_the_interpolation() -> None:
    stated = UNIT.model_copy(update={"resize": "crop", "crop_pct": 0.95, "interpolation": "bicubic"})

    changes = list(other_geometries(stated))

    assert [(change.fields["resize"], change.fields["crop_pct"]) for change in changes] == [
        ("squash", 1.0),
        ("letterbox", 1.0),
    ]


def test_the_same_values_written_otherwise_are_no_rival() -> None:
    written = UNIT.model_copy(update={"scale": 1.0, "std": (255.0,) * 3})

    names = [rival.name for rival in rivals_of(written, True, "float32")]

    assert not [name for name in names if "values from 0 to 1" in name]


def test_in_the_other_order_each_channel_keeps_its_mean() -> None:
    numbers = PRESETS["imagenet"]
    stated = UNIT.model_copy(update={"mean": numbers.mean, "std": numbers.std})

    rivals = {rival.name: rival for rival in rivals_of(stated, True, "float32")}
    other = rivals["channels in the order BGR"]
    of_bgr = {rival.name: rival for rival in rivals_of(BGR, True, "float32")}["ImageNet's mean and std"]

    assert (other.preprocess.mean, other.preprocess.std) == (numbers.mean[::-1], numbers.std[::-1])
    assert "reverse mean and std there too" in other.remedy
    assert of_bgr.preprocess.mean == numbers.mean[::-1]
    names = [rival.name for rival in rivals_of(other.preprocess, True, "float32")]
    assert "ImageNet's mean and std" not in names


def test_an_input_of_bytes_has_no_rivals_of_fractions() -> None:
    names = [rival.name for rival in rivals_of(RAW, is_coloured=True, dtype="uint8")]

    assert names == ["channels in the order BGR"]


def test_a_grey_network_has_no_rivals_of_colours() -> None:
    names = [rival.name for rival in rivals_of(GREY, is_coloured=False, dtype="float32")]

    assert names == ["values from 0 to 255", "values from −1 to 1"]
