"""Whether two networks were measured together, and answered the same images. Pure."""

from bench.report.comparability import why_other_classes
from bench.report.schema import BundleRecord, Evaluation, Report


def took_turns(report: Report, other: Report) -> bool:
    """Tell whether the rows of two reports took turns in one run, so that their blocks can be paired."""
    return report is other or (report.joint_run is not None and report.joint_run == other.joint_run)


def why_not_same_answers(report: Report, other: Report) -> str | None:
    """Return why the answers of two reports' rows cannot be compared image by image; None if they can."""
    here, there = report.bundle, other.bundle
    own, others = report.evaluation, other.evaluation
    if here is None or there is None or own is None or others is None:
        return "model files are measured without labels"
    if (reason := why_other_classes(here, there)) is not None:
        return reason
    if len(own.reference_logits[0]) != len(others.reference_logits[0]):
        return "their outputs hold other numbers of values"
    if here.pack_sha256 == there.pack_sha256:
        return None
    if not have_same_images(own, others):
        return _other_images(here, there)
    return None if own.labels == others.labels else f"the same {here.samples} have other labels"


def have_same_images(one: Evaluation, other: Evaluation) -> bool:
    """Tell whether two packs hold the same images: pixel by pixel, or before they were resized."""
    pairs = (one.samples_sha256, other.samples_sha256), (one.sources_sha256, other.sources_sha256)
    return any(own is not None and own == others for own, others in pairs)


def _other_images(here: BundleRecord, there: BundleRecord) -> str:
    sizes = here.input_words, there.input_words
    if sizes[0] == sizes[1]:
        return f"evaluated on other {here.samples}"
    return (
        f"evaluated on {here.samples} of two sizes ({sizes[0]} and {sizes[1]}), which are not known to "
        "be the same ones"
    )
