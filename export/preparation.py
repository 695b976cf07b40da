"""What the parent prepares once for all artifacts of an export: reference outputs, sensitivity, search.

Workers compute everything that needs the network, so that this module loads no torch.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import write_pack
from bench.errors import BenchError
from export.data.samples import Samples
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
    WrongInput,
)
from export.options import ExportOptions
from export.quantisation.candidates import candidates_for, candidates_without_network
from export.quantisation.sensitivity import Sensitivity
from export.sources.spec import OpenSource
from export.worker_process import ExportWorker, ignore
from models.progress import Progress

_HELD_OUT = "held-out.npz"
_CALIBRATION = "calibration.npz"
_FAILED = 4


class SourceFailedError(BenchError):
    """The source could not be run on the data."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def write_reference_pack(
    path: Path, samples: Samples, name: str, source: OpenSource, options: ExportOptions, progress: Progress
) -> None:
    """Write samples and the source's outputs; `name` names the samples in the progress text.

    Raises SourceFailedError if the source cannot be run on them.
    """
    # The worker reads the samples from the pack, so the pack is first written with placeholder outputs.
    _write_placeholder_pack(path, samples)
    bar = _bar(progress, f"Running the source on the {name} samples")
    request = ComputeReference(source=source, pack=str(path), threads=options.threads_used)
    values = _reference_of(_ask(request, options, bar), source)
    write_pack(path, samples.with_reference(values))


def _write_placeholder_pack(path: Path, samples: Samples) -> None:
    write_pack(path, samples.with_reference(np.zeros((len(samples), 1), dtype=np.float32)))


def _reference_of(answer: Answer, source: OpenSource) -> npt.NDArray[np.float32]:
    match answer:
        case Reference(logits=logits):
            return np.array(logits, dtype=np.float32)
        case WrongInput(message=message, exit_code=exit_code):
            raise SourceFailedError(message, exit_code)
        case Refused(message=message):
            raise SourceFailedError(f"{source.spec.name}: could not be run on the data: {message}", _FAILED)
        case _:
            raise AssertionError("the worker answered another request than ComputeReference")


def write_calibration_pack(folder: Path, samples: Samples) -> Path:
    """Write the samples that int8 is calibrated on into a folder, and return the file."""
    path = folder / _CALIBRATION
    _write_placeholder_pack(path, samples)
    return path


def plan_search(
    options: ExportOptions,
    source: OpenSource,
    held_out: Samples,
    calibration: Path,
    folder: Path,
    progress: Progress,
) -> SearchTask | Refused:
    """Measure the network's sensitivity to int8 and write the held-out samples into `folder`.

    Returns Refused if int8 cannot be simulated, and so cannot be made.
    """
    pack = folder / _HELD_OUT
    write_reference_pack(pack, held_out, "held-out", source, options, progress)
    sensitivity = measure_sensitivity(options, source, calibration, progress)
    if isinstance(sensitivity, Refused):
        return sensitivity
    return SearchTask(
        candidates=(
            candidates_for(sensitivity, options.qat)
            if sensitivity.unmeasured is None
            else candidates_without_network(sensitivity)
        ),
        held_out=str(pack),
        min_retention=options.min_retention,
        sensitivity=sensitivity,
        scratch=str(folder),
    )


def measure_sensitivity(
    options: ExportOptions, source: OpenSource, calibration: Path, progress: Progress
) -> Sensitivity | Refused:
    """Return how much int8 disturbs the network, layer by layer, or why that could not be measured."""
    request = MeasureSensitivity(
        source=source, calibration=str(calibration), threads=options.threads_used, cpu=options.cpu
    )
    match _ask(request, options, _bar(progress, "Analysing the sensitivity to int8")):
        case SensitivityMeasured(sensitivity=sensitivity):
            return sensitivity
        case Refused() as refused:
            return refused
        case _:
            raise AssertionError("the worker answered another request than MeasureSensitivity")


def _bar(progress: Progress, title: str) -> Report:
    """Return what draws the worker's steps; their number is known with the first one."""
    has_begun = False

    def draw(message: ProgressMessage) -> None:
        nonlocal has_begun
        if isinstance(message, Advanced):
            if not has_begun:
                progress.begin(title, message.total)
            has_begun = True
            progress.advance()

    return draw


def _ask(request: Request, options: ExportOptions, report: Report = ignore) -> Answer:
    with ExportWorker() as worker:
        return worker.ask(request, options.timeout_s, report)
