"""Recognises masks beside images, and altered copies of images, by their names. It opens no file.

A name alone is no proof: a folder `masks` is one of masks only if there are images outside of it, and a file
`film_mask.png` only if there is a `film`.
"""

import re
from collections.abc import Container, Sequence
from pathlib import PurePath

_MASK_WORDS = frozenset(
    (
        *("mask", "masks", "seg", "segm", "segmentation", "segmentations", "segmented", "gt", "gts"),
        *("groundtruth", "annotation", "annotations", "annotated", "contour", "contours", "overlay"),
        *("overlays", "heatmap", "heatmaps", "bbox", "bboxes"),
    )
)
_LABEL_WORDS = frozenset(("label", "labels"))  # of a folder; a file film_label.png may be anything
# Classes such as with_mask and no_mask are of people who wear one.
_NO_MASK_WORDS = frozenset(
    ("with", "without", "no", "non", "not", "face", "worn", "correct", "incorrect", "wearing")
)
_ALTERED_WORDS = frozenset(
    (
        *("aug", "augmented", "flip", "flipped", "hflip", "vflip", "fliplr", "flipud", "rot", "rotate"),
        *("rotated", "mirror", "mirrored", "noise", "noisy", "blur", "blurred", "bright", "brightness"),
        *("zoom", "zoomed", "shear", "crop", "cropped", "shift", "shifted", "copy"),
        *("thumb", "thumbnail", "small", "resized", "preview", "enhanced", "clahe", "equalized"),
    )
)
_MOST_WORDS_AFTER = 3
_SEPARATORS = re.compile(r"[ _.\-]+")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def is_mask_folder(name: str) -> bool:
    """Tell whether a folder is named as one of masks, such as `masks`, `Lung_Masks`, `leftMask` or `GT`."""
    words = [word.lower() for word in _WORDS.findall(name) if not word.isdecimal()]
    if not words or _NO_MASK_WORDS & set(words):
        return False
    is_truth = words[-2:] == ["ground", "truth"] or words[-2:] == ["bounding", "boxes"]
    return is_truth or words[-1] in _MASK_WORDS | _LABEL_WORDS or words[-1].endswith(("masks", "mask"))


def masks_among(paths: Sequence[PurePath]) -> frozenset[int]:
    """Return which of some images are masks of the others: their indices."""
    inside = {index for index, path in enumerate(paths) if any(map(is_mask_folder, path.parts[:-1]))}
    if len(inside) == len(paths):
        inside = set()
    stems = {paths[index].stem.lower() for index in range(len(paths)) if index not in inside}
    named = {
        index
        for index, path in enumerate(paths)
        if _original(path.stem.lower(), stems, _MASK_WORDS) is not None
    }
    return frozenset(inside | named | _called_mask(paths))


def _called_mask(paths: Sequence[PurePath]) -> set[int]:
    """Return the images that are called `mask.png` and lie beside another one that is not."""
    called = {index for index, path in enumerate(paths) if _is_mask_word(path.stem)}
    beside = {path.parent for index, path in enumerate(paths) if index not in called}
    return {index for index in called if paths[index].parent in beside}


def _is_mask_word(stem: str) -> bool:
    """Tell whether a name is a word for a mask, perhaps with a number: no name of an image is in it."""
    words = [word.lower() for word in _WORDS.findall(stem) if not word.isdecimal()]
    return len(words) == 1 and words[0] in _MASK_WORDS


def originals_of(paths: Sequence[PurePath], classes: Sequence[object]) -> dict[int, int]:
    """Return which images are altered copies by their names (`film_flip.png`), each with its original.

    The original is of the same class, and lies in the same folder or is the only image of its name there.
    """
    # A stem may be in every folder, so those of one folder are found without a look at the others.
    by_stem: dict[object, dict[str, list[int]]] = {}
    by_folder: dict[tuple[object, str, PurePath], list[int]] = {}
    for index, (path, name) in enumerate(zip(paths, classes, strict=True)):
        stem = path.stem.lower()
        by_stem.setdefault(name, {}).setdefault(stem, []).append(index)
        by_folder.setdefault((name, stem, path.parent), []).append(index)
    found: dict[int, int] = {}
    for index, (path, name) in enumerate(zip(paths, classes, strict=True)):
        original = _original(path.stem.lower(), by_stem[name], _ALTERED_WORDS)
        if original is None:
            continue
        candidates = by_folder.get((name, original, path.parent)) or by_stem[name][original]
        if len(candidates) == 1:
            found[index] = candidates[0]
    return found


def altered_in_words(copies: int, example: str) -> str:
    """Return the beginning of a sentence on altered copies; `example` names one and its original."""
    start = "1 image is an altered copy" if copies == 1 else f"{copies} images are altered copies"
    return f"{start} of others by name ({example})"


def _original(stem: str, stems: Container[str], words: frozenset[str]) -> str | None:
    """Return the stem of the file that `stem` is derived from by a word before or after it."""
    parts = list(_SEPARATORS.finditer(stem))
    for separator in reversed(parts[-_MOST_WORDS_AFTER:]):
        rest = _SEPARATORS.split(stem[separator.end() :])
        if words & {word.rstrip("0123456789()") for word in rest} and stem[: separator.start()] in stems:
            return stem[: separator.start()]
    if parts and stem[: parts[0].start()].rstrip("0123456789") in words and stem[parts[0].end() :] in stems:
        return stem[parts[0].end() :]
    return None
