"""Which training images int8 ranges are found on. It sees the calibration split and no other."""

from export.evaluation import choose_images
from models.dataset import Images
from models.run_folder import RunImages


def calibration_images(images: RunImages, count: int) -> Images:
    """Return at most `count` training images, about stratified: uint8 [n, side, side(, 3)]."""
    return images.calibration.images[choose_images(images.calibration.labels, count)]
