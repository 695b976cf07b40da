"""The images of a run folder, as fine-tuning split them."""

from export.data.samples import ExportData, Samples
from export.data.stratified import stratified_order
from models.dataset import Split
from models.errors import InputError
from models.run_folder import RunFolder

POSITIVE_CLASS = 1
MOST_HELD_OUT = 512


def data_of_run(run: RunFolder, eval_images: int) -> ExportData:
    """Return the images of a run: its training images are for calibration, its validation images are held
    out, and at most `eval_images` test images are for the evaluation pack.

    Raises InputError if there is no test image.
    """
    if not len(run.images.test):
        raise InputError(
            f"{run.folder} has no test images to verify artifacts on; fine-tune with a test split"
        )
    calibration = run.images.calibration
    return ExportData(
        name=run.record.data.name,
        classes=run.record.classes,
        positive_class=POSITIVE_CLASS,
        calibration=_sample(calibration, len(calibration)),
        held_out=_sample(run.images.heldout, MOST_HELD_OUT),
        evaluation=_sample(run.images.test, eval_images),
        notes=(*run.record.data.warnings, *run.record.data.notes),
    )


def _sample(split: Split, count: int) -> Samples:
    chosen = stratified_order(split.labels, count)
    return Samples(split.images[chosen], split.labels[chosen])
