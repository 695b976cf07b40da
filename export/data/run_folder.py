"""The images of a run folder, as fine-tuning split them."""

from dataclasses import replace

from export.data.samples import ExportData, Samples
from export.data.stratified import stratified_order
from models.dataset import Split
from models.errors import InputError
from models.positive import Positive, positive_class
from models.records import RunRecord
from models.run_folder import RunFolder
from user_files.arrays import sha256_of_array
from user_files.hashes import sha256_of_all
from user_files.printable import printable

MOST_HELD_OUT = 512


def data_of_run(run: RunFolder, eval_images: int, stated: str | None = None) -> ExportData:
    """Return the images of a run: its training images are for calibration, its validation images are held
    out, and at most `eval_images` test images are for the evaluation pack.

    `stated`: the class that counts as positive; None: the one of the run. Raises InputError if there is no
    test image, or no such class.
    """
    if not len(run.images.test):
        raise InputError(
            f"{run.folder} has no test images to verify artifacts on; fine-tune with a test split"
        )
    calibration, positive = run.images.calibration, positive_of_run(run.record, stated)
    return ExportData(
        name=run.record.data.name,
        classes=run.record.classes,
        positive=positive,
        calibration=_sample(calibration, len(calibration)),
        held_out=_sample(run.images.heldout, MOST_HELD_OUT),
        evaluation=_evaluation(run, eval_images),
        notes=(
            *run.record.data.warnings,
            *run.record.data.notes,
            *([] if positive is None else [positive.sentence]),
        ),
    )


def positive_of_run(record: RunRecord, stated: str | None) -> Positive | None:
    """Return the positive class of a run: the stated one, or its own; None unless it has two classes.

    Raises InputError for a stated class that the run does not have.
    """
    if stated is not None or record.positive is None:
        return positive_class(record.classes, stated, "the run has")
    name = printable(record.classes[record.positive])
    if record.positive_class is not None:
        return Positive(record.positive, f"'{name}' is the positive class, as in the run.")
    other = printable(record.classes[1 - record.positive])
    sentence = (
        f"The run does not say which class is positive: label {record.positive}, '{name}', counts as "
        f"positive; if it is '{other}', state it with --positive."
    )
    return Positive(record.positive, sentence)


def _evaluation(run: RunFolder, count: int) -> Samples:
    """Return test images. With the hash of all of them before they were resized, which is of a run of another
    size the same, their numbers tell them from others."""
    chosen = stratified_order(run.images.test.labels, count)
    every = run.record.data.test_sources_sha256
    sources = None if every is None else sha256_of_all([every, sha256_of_array(chosen)])
    return replace(_sample(run.images.test, count), sources_sha256=sources)


def _sample(split: Split, count: int) -> Samples:
    chosen = stratified_order(split.labels, count)
    return Samples(split.images[chosen], split.labels[chosen])
