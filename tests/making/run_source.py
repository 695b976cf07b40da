"""A run folder as export's workers see it: its source, and packs of its images."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import write_pack
from export.calibration import CalibrationInputs, calibration_inputs
from export.options import ExportOptions
from export.prepared import Prepared, prepare_run
from export.sources.opening import load


def prepared_run(run_folder: Path) -> Prepared:
    return prepare_run(run_folder, ExportOptions(str(run_folder)))


def calibration_pack(run_folder: Path, folder: Path) -> Path:
    """Write the run's calibration images into a folder."""
    calibration = prepared_run(run_folder).data.calibration
    path = folder / "calibration.npz"
    write_pack(path, calibration.with_reference(np.zeros((len(calibration), 1), np.float32)))
    return path


def calibration_of(run_folder: Path, folder: Path) -> CalibrationInputs:
    """Return the run's calibration images as inputs."""
    return calibration_inputs(
        str(calibration_pack(run_folder, folder)), prepared_run(run_folder).source.inputs, 512
    )


def evaluation_inputs(run_folder: Path) -> list[npt.NDArray[np.float32]]:
    """Return the run's test images as inputs, in the order of the evaluation pack."""
    evaluation = prepared_run(run_folder).data.evaluation
    pack = evaluation.with_reference(np.zeros((len(evaluation), 1), np.float32))
    return [pack.batch(index) for index in range(len(pack))]


def reference_of(run_folder: Path) -> npt.NDArray[np.float32]:
    """Return the network's logits of these images."""
    source = load(prepared_run(run_folder).source).source
    return np.concatenate([source.run([batch])[0] for batch in evaluation_inputs(run_folder)])
