"""What the parent prepares once for all artifacts of an export: reference logits, sensitivity, search.

Workers compute everything that needs the network, so that this module loads no torch.
"""

from pathlib import Path

import numpy as np

from bench.bundle.evaluation_pack import EvaluationPack, write_pack
from export.images import held_out_images
from export.messages import (
    Advanced,
    Answer,
    ComputeReference,
    MeasureSensitivity,
    ProgressMessage,
    Reference,
    Refused,
    Report,
    Request,
    SearchTask,
    SensitivityMeasured,
)
from export.options import ExportOptions
from export.quantisation.candidates import candidates_for
from export.quantisation.sensitivity import Sensitivity
from export.worker_process import ExportWorker, ignore
from models.dataset import Split
from models.progress import Progress
from models.run_folder import RunFolder

_HELD_OUT = "held-out.npz"


class ReferenceFailedError(RuntimeError):
    """The fp32 network could not be run, which is a fault of edgefit or torch, not of the user."""


def write_reference_pack(
    path: Path, images: Split, name: str, options: ExportOptions, progress: Progress
) -> None:
    """Write images, labels and the fp32 network's logits; `name` names the images in the progress text."""
    progress.begin(f"Running the fp32 network on the {name} images", 1)
    # The worker reads the images from the pack, so the pack is first written with placeholder logits.
    placeholder = np.zeros((len(images), 1), dtype=np.float32)
    write_pack(path, EvaluationPack(images.images, images.labels, placeholder))
    request = ComputeReference(run=options.run_folder, pack=str(path), threads=options.threads_used)
    answer = _ask(request, options)
    if not isinstance(answer, Reference):
        raise ReferenceFailedError(f"the fp32 network of {options.run} could not be run: {answer}")
    logits = np.array(answer.logits, dtype=np.float32)
    write_pack(path, EvaluationPack(images.images, images.labels, logits))
    progress.advance()


def plan_search(
    options: ExportOptions, run: RunFolder, folder: Path, progress: Progress
) -> SearchTask | Refused:
    """Measure the network's sensitivity to int8 and write the held-out images into `folder`.

    Returns Refused if int8 cannot be simulated, and so cannot be made.
    """
    pack = folder / _HELD_OUT
    write_reference_pack(pack, held_out_images(run.images), "held-out", options, progress)
    sensitivity = measure_sensitivity(options, progress)
    if isinstance(sensitivity, Refused):
        return sensitivity
    return SearchTask(
        candidates=candidates_for(sensitivity, options.qat),
        held_out=str(pack),
        min_retention=options.min_retention,
        sensitivity=sensitivity,
        scratch=str(folder),
    )


def measure_sensitivity(options: ExportOptions, progress: Progress) -> Sensitivity | Refused:
    """Return how much int8 disturbs the network, layer by layer, or why that could not be measured."""
    request = MeasureSensitivity(run=options.run_folder, threads=options.threads_used, cpu=options.cpu)
    match _ask(request, options, _bar(progress)):
        case SensitivityMeasured(sensitivity=sensitivity):
            return sensitivity
        case Refused() as refused:
            return refused
        case _:
            raise AssertionError("the worker answered another request than MeasureSensitivity")


def _bar(progress: Progress) -> Report:
    """Return what draws the worker's steps; their number is known with the first one."""
    has_begun = False

    def draw(message: ProgressMessage) -> None:
        nonlocal has_begun
        if isinstance(message, Advanced):
            if not has_begun:
                progress.begin("Analysing the sensitivity to int8", message.total)
            has_begun = True
            progress.advance()

    return draw


def _ask(request: Request, options: ExportOptions, report: Report = ignore) -> Answer:
    with ExportWorker() as worker:
        return worker.ask(request, options.timeout_s, report)
