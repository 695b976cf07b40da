"""Says what of the images of an .npz file is probably not meant so. Pure.

It leaves nothing out: the splits of a published collection stay as they are.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from models.dataset import Labels
from models.sources.array_words import Array
from models.sources.labelled_files import imbalance_warnings
from user_files.wording import counted

_TEST = "test"
_Place = tuple[str, int]


def array_warnings(
    images: Mapping[str, Array], labels: Mapping[str, Labels], classes: Sequence[str]
) -> tuple[str, ...]:
    """Return warnings on equal images and on rare classes; the arrays are those of the splits by name."""
    groups: dict[bytes, list[_Place]] = {}
    for name, pixels in images.items():
        for index, image in enumerate(pixels):
            if image.min() != image.max():
                groups.setdefault(sha256(image.tobytes()).digest(), []).append((name, index))
    equal = [group for group in groups.values() if len(group) > 1]
    names = [classes[label] for split in labels.values() for label in split.tolist()]
    return (*_of_two_classes(equal, labels), *_tested(equal), *imbalance_warnings(names))


def _of_two_classes(equal: Sequence[Sequence[_Place]], labels: Mapping[str, Labels]) -> list[str]:
    groups = [group for group in equal if len({int(labels[name][index]) for name, index in group}) > 1]
    if not groups:
        return []
    first = groups[0][0]
    other = next(place for place in groups[0] if labels[place[0]][place[1]] != labels[first[0]][first[1]])
    start = f"{sum(map(len, groups))} images are equal to one of another class ({_example(first, other)})"
    return [f"{start}: one of the labels is wrong."]


def _tested(equal: Sequence[Sequence[_Place]]) -> list[str]:
    groups = [group for group in equal if len({name == _TEST for name, _ in group}) > 1]
    if not groups:
        return []
    count = sum(name == _TEST for group in groups for name, _ in group)
    tested = next(place for place in groups[0] if place[0] == _TEST)
    are = counted(count, "test image is equal", "test images are equal")
    return [f"{are} to one of train or val ({_example(groups[0][0], tested)}): test figures may be too good."]


def _example(one: _Place, other: _Place) -> str:
    return " is ".join(f"{name}_images[{index}]" for name, index in (one, other))
