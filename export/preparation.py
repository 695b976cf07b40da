"""What the parent prepares once for all artifacts of an export: reference outputs, sensitivity, search.

Workers compute everything that needs the network, so that this module loads no torch.
"""

from pathlib import Path

import numpy as np

from bench.bundle.evaluation_pack import write_pack
from bench.errors import InputError
from export.data.samples import ExportData, Samples
from export.messages import MeasureSensitivity, Refused, SearchTask, SensitivityMeasured
from export.options import ExportOptions
from export.quantisation.candidates import candidates_for, candidates_without_network
from export.quantisation.sensitivity import Sensitivity
from export.source_runner import SourceRunner
from export.sources.spec import OpenSource
from export.stages import StageBar
from models.progress import Progress

_HELD_OUT = "held-out.npz"
_CALIBRATION = "calibration.npz"


def write_reference_pack(
    path: Path,
    samples: Samples,
    name: str,
    source: OpenSource,
    runner: SourceRunner,
    progress: Progress,
) -> None:
    """Write samples and the source's outputs; `name` names the samples in the progress text.

    Raises SourceFailedError if the source cannot be run on them, or if an output is not finite.
    """
    values = runner.finite_values(
        source, samples, StageBar(progress, f"Running the source on the {name} samples", has_stages=False)
    )
    write_pack(path, samples.with_reference(values))


def write_calibration_pack(folder: Path, samples: Samples) -> Path:
    """Write the samples that int8 is calibrated on into a folder, and return the file."""
    path = folder / _CALIBRATION
    write_pack(path, samples.with_reference(np.zeros((len(samples), 1), dtype=np.float32)))
    return path


def plan_search(
    options: ExportOptions,
    source: OpenSource,
    data: ExportData,
    calibration: Path,
    folder: Path,
    runner: SourceRunner,
    progress: Progress,
) -> SearchTask | Refused:
    """Measure the network's sensitivity to int8 and write the held-out samples into `folder`.

    Returns Refused if int8 cannot be simulated, and so cannot be made. Raises InputError for training that
    the source does not allow.
    """
    pack = folder / _HELD_OUT
    write_reference_pack(pack, data.held_out, "held-out", source, runner, progress)
    sensitivity = measure_sensitivity(options, source, calibration, runner, progress)
    if isinstance(sensitivity, Refused):
        return sensitivity
    if options.qat and sensitivity.unmeasured is not None:
        raise InputError(
            f"--qat: trains a network of layers, and none can be made of the source: "
            f"{sensitivity.unmeasured}; leave it out, or export the network itself"
        )
    return SearchTask(
        candidates=(
            candidates_for(sensitivity, options.qat)
            if sensitivity.unmeasured is None
            else candidates_without_network(sensitivity)
        ),
        held_out=str(pack),
        min_retention=options.min_retention,
        sensitivity=sensitivity,
        classes=data.classes,
        positive_class=data.positive_class,
    )


def measure_sensitivity(
    options: ExportOptions,
    source: OpenSource,
    calibration: Path,
    runner: SourceRunner,
    progress: Progress,
) -> Sensitivity | Refused:
    """Return how much int8 disturbs the network, layer by layer, or why that could not be measured."""
    request = MeasureSensitivity(
        source=source, calibration=str(calibration), threads=options.threads_used, cpu=options.cpu
    )
    match runner.ask(request, StageBar(progress, "Analysing the sensitivity to int8")):
        case SensitivityMeasured(sensitivity=sensitivity):
            return sensitivity
        case Refused() as refused:
            return refused
        case _:
            raise AssertionError("the worker answered another request than MeasureSensitivity")
