"""On which classes of CPUs an int8 artifact's answers are checked when it is made, and what formats share."""

from pathlib import Path

import pytest
from making.run_source import calibration_pack, prepared_run, reference_of

from bench.bundle.cpu_class import CpuClass
from bench.bundle.evaluation_pack import FILE_NAME, write_pack
from bench.bundle.manifest import ArtifactRecord
from bench.bundle.recipe import Recipe
from bench.bundle.variants import Precision
from bench.runtimes.formats import FORMATS
from export import artifact, networks, worker
from export.messages import Made, Task
from export.worker_process import ignore

CALIBRATION = 8
HOW = ("measured", "simulated")


@pytest.fixture
def folder(run_folder: Path, tmp_path: Path) -> Path:
    """A bundle under construction that holds a pack of the run's test images."""
    evaluation = prepared_run(run_folder).data.evaluation
    write_pack(tmp_path / FILE_NAME, evaluation.with_reference(reference_of(run_folder)))
    return tmp_path


def task_for(cpu: str, run_folder: Path, folder: Path) -> Task:
    return Task(
        variant="onnx-int8",
        format="onnx",
        precision=Precision.INT8,
        exporter=FORMATS["onnx"].exporter or "",
        runtime=FORMATS["onnx"].module,
        provider=FORMATS["onnx"].provider,
        source=prepared_run(run_folder).source,
        is_own=False,
        calibration=str(calibration_pack(run_folder, folder)),
        bundle=str(folder),
        pack=str(folder / FILE_NAME),
        calibration_images=CALIBRATION,
        threads=1,
        cpu=cpu,
    )


def made_for(cpu: str, run_folder: Path, folder: Path) -> ArtifactRecord:
    answer = worker.handle(task_for(cpu, run_folder, folder), ignore)
    assert isinstance(answer, Made)
    return answer.artifact


@pytest.mark.parametrize(
    ("here", "cpu", "measured", "simulated"),
    [
        (CpuClass.X86_VNNI, "portable", ["x86-vnni"], ["x86", "arm", "arm-dot-product"]),
        (CpuClass.X86, "x86-vnni", [], ["x86-vnni"]),
    ],
)
def test_the_own_class_is_measured_and_the_others_are_simulated(
    here: CpuClass,
    cpu: str,
    measured: list[str],
    simulated: list[str],
    run_folder: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (artifact, worker):
        monkeypatch.setattr(module, "cpu_class_here", lambda: here)

    made = made_for(cpu, run_folder, folder)

    how = {name: [check.cpu_class.value for check in made.classes if check.how == name] for name in HOW}
    assert how == {"measured": measured, "simulated": simulated}
    assert made.cpu == cpu
    assert all((check.agreement or 0) >= 0.95 for check in made.classes)


def test_the_next_format_quantises_the_network_that_the_first_one_corrected(
    run_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = task_for("portable", run_folder, folder)

    first = networks.network_for(task, Recipe(), ignore)
    monkeypatch.setattr(networks, "correct", None)
    second = networks.network_for(task, Recipe(), ignore)

    weights, again = first.state_dict(), second.state_dict()
    assert weights.keys() == again.keys()
    assert all(weights[name].equal(again[name]) for name in weights)
