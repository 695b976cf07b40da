"""What goes wrong in one exporter costs only itself. Faults are fakes, workers and runtimes are real."""

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from making.run_source import prepared_run
from making.watching import InterruptedWatching, Watching
from safetensors.torch import load_file, save_file

from bench.bundle.manifest import Manifest, read_bundle
from bench.bundle.variants import Precision
from bench.errors import InputError
from bench.runtimes.formats import FORMATS, FormatRow
from export.export import ExportOptions, export
from export.messages import Refused, Task
from export.worker_process import ExportWorker
from models.progress import Progress
from models.records import RunRecord
from models.run_folder import MODEL, RECORD, hash_files, write_record

FAULTY = Path(__file__).parent / "faulty"


def row(fault: str, *precisions: Precision) -> FormatRow:
    return replace(FORMATS["torchscript"], exporter=f"faulty_{fault}", precisions=precisions, calibrated=())


TABLE = {
    "crashing": row("crashing", Precision.FP32, Precision.FP16),
    "raising": row("raising", Precision.FP32, Precision.FP16),
    "wrong": row("wrong", Precision.FP32, Precision.FP16),
    "talking": row("talking", Precision.FP32, Precision.FP16),
}


@pytest.fixture(autouse=True)
def _fault_fakes_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(FAULTY))


def export_faulty(run: Path, folder: Path, progress: Progress, *formats: str) -> Manifest:
    options = ExportOptions(str(run), formats=formats, precisions=("fp32", "fp16"), threads=1)
    return export(options, folder, progress, "edgefit 0", "faulty", "2026-01-01T00:00:00+00:00", TABLE)


@pytest.fixture(scope="module")
def faulty(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest, Watching]:
    folder, watching = tmp_path_factory.mktemp("faulty"), Watching()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(FAULTY))
        manifest = export_faulty(run_folder, folder, watching, *TABLE)
    return folder, manifest, watching


def failure(manifest: Manifest, variant: str) -> tuple[str, str]:
    return next((failed.stage, failed.message) for failed in manifest.failed if failed.variant == variant)


def test_a_crash_costs_only_the_variant_it_happened_in(faulty: tuple[Path, Manifest, Watching]) -> None:
    made = [artifact.variant for artifact in faulty[1].artifacts]
    stage, message = failure(faulty[1], "crashing-fp16")

    assert made == ["crashing-fp32", "talking-fp32", "talking-fp16"]
    assert stage == "export"
    assert "died of SIGSEGV" in message
    assert "about to fall over" in message


def test_an_exception_becomes_a_row_with_its_stage_and_message(
    faulty: tuple[Path, Manifest, Watching],
) -> None:
    assert failure(faulty[1], "raising-fp32") == ("export", "ValueError: no such operator")
    assert failure(faulty[1], "raising-fp16") == ("export", "ValueError: no such operator")


def test_a_wrong_artifact_is_refused_with_the_figure_that_shows_it(
    faulty: tuple[Path, Manifest, Watching],
) -> None:
    assert failure(faulty[1], "wrong-fp32")[0] == "verify"
    assert "largest difference from the source's outputs" in failure(faulty[1], "wrong-fp32")[1]
    assert "predicts the source's class on 0.0%" in failure(faulty[1], "wrong-fp16")[1]


def test_failed_variants_leave_no_file(faulty: tuple[Path, Manifest, Watching]) -> None:
    folder, manifest, _ = faulty
    bundle = read_bundle(folder)

    assert {path.name for path in folder.iterdir() if path.is_dir()} == {
        artifact.variant for artifact in manifest.artifacts
    }
    assert bundle.manifest == manifest


def test_failures_are_shown_when_they_happen(faulty: tuple[Path, Manifest, Watching]) -> None:
    assert faulty[2].tasks[-1] == ("Exporting", 8)
    assert faulty[2].steps == 8
    assert "raising-fp32 failed in stage export: ValueError: no such operator" in faulty[2].sentences


class Overwriting(Watching):
    """A training run writes its weights again while they are exported."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def begin(self, task: str, total: int) -> None:
        super().begin(task, total)
        if task == "Exporting":
            self.file.write_bytes(self.file.read_bytes())
            os.utime(self.file, ns=(0, 1))


@pytest.mark.slow
def test_a_source_that_was_written_meanwhile_gives_no_bundle(own_run_folder: Path, folder: Path) -> None:
    options = ExportOptions(str(own_run_folder), formats=("raising",), precisions=("fp32",), threads=1)

    with pytest.raises(InputError, match=r"model\.safetensors was changed, replaced or deleted while it was"):
        export(
            options,
            folder,
            Overwriting(own_run_folder / MODEL),
            "edgefit 0",
            None,
            "2026-01-01T00:00:00+00:00",
            TABLE,
        )


def test_an_exporter_that_hangs_is_ended(run_folder: Path, folder: Path) -> None:
    task = Task(
        variant="hanging-fp32",
        format="hanging",
        precision=Precision.FP32,
        exporter="faulty_hanging",
        runtime=FORMATS["torchscript"].module,
        provider="cpu",
        source=prepared_run(run_folder).source,
        is_own=False,
        bundle=str(folder),
        pack=str(folder / "none"),
        calibration=None,
        calibration_images=0,
        threads=1,
    )

    with ExportWorker(folder) as worker:
        answer = worker.ask(task, timeout_s=0.5)

        assert isinstance(answer, Refused)
        assert "gave no answer in time and was ended" in answer.message
        assert not worker.is_alive


def test_an_interrupt_leaves_no_worker_running(
    run_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[Path, ...]] = []

    def start(*writable: Path) -> ExportWorker:
        started.append(writable)
        return ExportWorker(*writable)

    monkeypatch.setattr("export.source_runner.ExportWorker", start)
    with pytest.raises(KeyboardInterrupt):
        export_faulty(run_folder, folder, InterruptedWatching(), "raising")

    assert started == [(folder,)]  # one process runs the source, and makes the first format
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if "export.start" in " ".join(child.cmdline())]
    assert not (folder / "manifest.json").exists()


def prefer_no_class(run: Path) -> Path:
    """Make a run's network give zero for every class, as if it had been trained to do so."""
    weights = load_file(run / MODEL)
    for name in ("classifier.1.weight", "classifier.1.bias"):
        weights[name].zero_()
    save_file(weights, run / MODEL)
    write_record(run, run_record(run).model_copy(update={"files": hash_files(run)}))
    return run


def run_record(run: Path) -> RunRecord:
    return RunRecord.from_json((run / RECORD).read_bytes())


def test_if_int8_cannot_be_simulated_the_other_precisions_are_made(
    own_run_folder: Path, folder: Path
) -> None:
    run = prefer_no_class(own_run_folder)
    options = ExportOptions(str(run), formats=("torchscript",), precisions=("fp32", "int8"), threads=1)
    watching = Watching()
    manifest = export(options, folder, watching, "edgefit 0", None, "2026-01-01T00:00:00+00:00")

    assert [artifact.variant for artifact in manifest.artifacts] == ["torchscript-fp32"]
    assert failure(manifest, "torchscript-int8")[0] == "simulate int8"
    assert "prefers no class for any image" in failure(manifest, "torchscript-int8")[1]
    assert watching.steps == 2
    assert {path.name for path in folder.iterdir()} == {
        "evaluation.npz",
        "manifest.json",
        "torchscript-fp32",
    }
