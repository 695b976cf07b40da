"""Says what arrays are that are no images with one class each, and how to make them so. Pure."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]

_COLOURS = (1, 3)
_GIVE = "give [n, height, width] or [n, height, width, 3]"


def images_fault(shape: tuple[int, ...]) -> str | None:
    """Return what an array is that holds no images, with the remedy; None if its shape is one of images."""
    is_images = len(shape) == 3 or (len(shape) == 4 and shape[3] in _COLOURS)
    if is_images and 0 not in shape[1:]:
        return None
    has = f"has the shape {list(shape)}"
    if 0 in shape[1:]:
        return f"{has}; images need pixels"
    match shape:
        case (_, 1 | 3, _, _):
            return f"{has}, with the channels first; {_GIVE}, such as images.transpose(0, 2, 3, 1)"
        case (_, _, _, 2 | 4):
            return f"{has}, with {shape[3]} channels for each pixel; {_GIVE}, such as images[..., :3]"
        case (_, _, _, _):
            return f"{has}: volumes, and edgefit takes images; {_GIVE}, such as images[:, {shape[1] // 2}]"
        case (_, _, _, _, _):
            return (
                f"{has}: volumes or videos in colour, and edgefit takes images; {_GIVE}, such as a slice each"
            )
        case _:
            return f"{has}; {_GIVE}"


def labels_fault(values: Array) -> str | None:
    """Return what labels are that are not one class for each image, with the remedy; None if they are."""
    type_fault = label_type_fault(values)
    if type_fault is not None or values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1):
        return type_fault
    has = f"has the shape {list(values.shape)}"
    if values.ndim != 2 or not values.size:
        masks = ": masks, as for segmentation, or vectors" if values.ndim > 2 else ""
        return f"{has}{masks}; one label per image is needed, [n] or [n, 1]"
    numbers, columns = values.astype(np.int64), values.shape[1]
    if ((numbers != 0) & (numbers != 1)).any():
        return f"{has}: {columns} numbers for each image; one label per image is needed, [n] or [n, 1]"
    if (numbers.sum(axis=1) == 1).all():
        return f"{has}: it is one-hot, a column per class; give the class's number, labels.argmax(axis=1)"
    return (
        f"{has}: several labels an image, a column of 0 and 1 for each; one class per image is needed, "
        "such as one of the columns, labels[:, 0]"
    )


def label_type_fault(values: Array) -> str | None:
    """Return why values of this type are no numbers of classes, with the remedy; None if they are."""
    has = f"has the type {values.dtype}"
    if values.dtype.kind == "u" and (largest := int(values.max(initial=0))) > np.iinfo(np.int64).max:
        return f"holds {largest}, which is no number of a class; integers from 0 are needed"
    if values.dtype.kind in "iub":
        return None
    if values.dtype.kind in "US":
        return (
            f"{has}: names; give numbers from 0, and the names in an array 'classes': "
            "classes, labels = np.unique(labels, return_inverse=True)"
        )
    if values.dtype.kind != "f":
        return f"{has}; integers from 0 are needed"
    numbers = values.astype(np.float64)
    if np.isnan(numbers).any():
        return f"{has}, and holds NaN, so some images have no label; leave them out, and give integers from 0"
    if (numbers % 1 == 0).all():
        return f"{has}, though its numbers are whole; integers from 0 are needed: labels.astype(np.int64)"
    return (
        f"{has}, and holds fractions such as {numbers[numbers % 1 != 0][0]:.4g}: measured values, "
        "as for a regression, or probabilities; integers from 0 are needed, the number of each image's class"
    )


def numbering_fault(labels: npt.NDArray[np.int64], count: int) -> str | None:
    """Return how labels are numbered if not from 0; None if they are. `count`: how many classes there are."""
    if not labels.size:
        return None
    low, high = int(labels.min()), int(labels.max())
    if low == 1 and high == count:
        return f"its labels are numbered from 1 to {high}; number them from 0: labels - 1"
    if low == -1 and not (labels == 0).any() and high == 1:
        return "its labels are -1 and 1; number them from 0: (labels + 1) // 2"
    if low == -1:
        return "its label -1 is no class; leave out the images without a class, and number the classes from 0"
    return None
