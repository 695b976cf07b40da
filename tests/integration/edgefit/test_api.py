"""`import edgefit` where processes count: a fresh interpreter, a script, a notebook, an interrupt."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from making.command_line import SHORT, edgefit_here
from making.model_files import write_onnx
from making.repository import ROOT
from nbclient import NotebookClient

import edgefit

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture(autouse=True)
def _jupyter_writes_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))


def python(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a fresh interpreter."""
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_importing_edgefit_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, edgefit; print(*{'numpy', 'pydantic', 'rich', 'typer', 'bench'} & set(sys.modules))"

    assert python("-c", code, cwd=tmp_path).stdout == "\n"


SCRIPT = """
import edgefit
report = edgefit.bench("model.onnx", profile={profile!r}, shape=(1, 3, 8, 8), quick=True, out="r.json")
print(edgefit.choose("r.json")[0].chosen)
try:
    edgefit.bench("model.onnx")
except edgefit.EdgefitError as error:
    print(error)
"""


def test_a_script_needs_no_main_guard_and_says_what_the_command_says(tmp_path: Path) -> None:
    model = write_onnx(tmp_path / "model.onnx", ("N", 3, "height", "width"))
    (tmp_path / "go.py").write_text(SCRIPT.format(profile=str(SHORT)))

    done = python("go.py", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    chosen, error = done.stdout.splitlines()
    assert chosen == "model.onnx"
    assert edgefit_here("bench", model).stderr == f"edgefit: {error}\n"
    assert "--shape" in error
    assert "latency, process 1 of 1" in done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["models"]["models"][0]["name"] == "model.onnx"


def test_a_script_named_like_a_package_of_edgefit_is_named(tmp_path: Path) -> None:
    (tmp_path / "bench.py").write_text("import edgefit\nedgefit.bench('model.onnx')\n")

    done = python("bench.py", cwd=tmp_path)

    assert done.stderr.splitlines()[-1].startswith("ImportError: edgefit needs its own package 'bench', but")


def test_the_notebook_runs_and_shows_each_result_with_its_conditions(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx")
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")

    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()

    report, frame, choice, error = ("".join(shown(cell)) for cell in notebook.cells if "outputs" in cell)
    assert "no labels, so no accuracy" in report
    assert "latency, process 1 of 1" in report
    assert "p50_ms" in frame
    assert "model.onnx, p50" in choice
    assert "nowhere.onnx" in error


def shown(cell: Any) -> Iterator[str]:
    """Yield what a cell shows: text that was printed, and HTML where there is some."""
    for output in cell.outputs:
        data = output.get("data", {})
        yield output.get("text") or data.get("text/html") or data.get("text/plain", "")


@contextmanager
def kernel(cwd: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """Start a notebook's kernel."""
    manager = KernelManager()
    manager.start_kernel(cwd=str(cwd))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def is_worker(process: psutil.Process) -> bool:
    """Whether a process is a worker that has begun."""
    with suppress(psutil.Error):  # it has ended meanwhile
        return "bench.harness.start" in process.cmdline()
    return False


def reply_to(request: str, client: BlockingKernelClient) -> Any:
    """Return the kernel's answer to a request; answers to earlier ones may still come before it."""
    while (message := client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != request:
        pass
    return message["content"]


def test_an_interrupted_kernel_goes_on_and_leaves_no_process(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx")
    with kernel(tmp_path) as (manager, client):
        process = psutil.Process(manager.provisioner.pid)  # type: ignore[union-attr]
        request = client.execute("import edgefit\nedgefit.bench('model.onnx')")
        while not any(map(is_worker, process.children())):
            assert process.is_running()
            time.sleep(0.02)
        manager.interrupt_kernel()

        assert reply_to(request, client)["ename"] == "KeyboardInterrupt"
        assert process.children(recursive=True) == []
        assert client.execute_interactive("edgefit.__version__", timeout=60)["content"]["status"] == "ok"


def test_a_bundle_is_measured_and_checked_as_by_the_commands(bundle_folder: Path, bundle_copy: Path) -> None:
    report = edgefit.bench(bundle_folder, profile=SHORT, only="onnx-fp32", quick=True, progress=False)
    checked = edgefit.check(
        bundle_copy, bundle_folder, profile=SHORT, only="onnx-fp32", skip_equal=True, progress=False
    )

    assert report.to_pandas().agreement.tolist() == [1.0]
    assert checked.compared == "bundles"
    assert {finding.verdict.value for finding in checked.findings} == {"SAME"}
    with pytest.raises(edgefit.InputError, match="--shape: it applies to model files"):
        edgefit.bench(bundle_folder, shape=(1, 3, 8, 8))


def test_two_model_files_are_checked_as_by_the_command(tmp_path: Path) -> None:
    old, new = write_onnx(tmp_path / "old.onnx"), write_onnx(tmp_path / "new.onnx", seed=7)

    checked = edgefit.check(new, old, profile=SHORT, seconds=1, progress=False)

    assert checked.compared == "models"
    assert checked.exit_code == 10
    assert "outputs" in checked._repr_html_()
    assert "outputs" in set(checked.to_pandas().quantity)
    with pytest.raises(edgefit.InputError, match="--min-retention: it does not apply to a model file"):
        edgefit.check(new, old, min_retention=0.9)


@pytest.mark.slow
def test_images_become_a_run_and_a_run_becomes_a_bundle(tmp_path: Path) -> None:
    record = edgefit.finetune(
        "synthetic", tmp_path / "run", weights="none", image_size=32, images=100, epochs=1, progress=False
    )
    manifest = edgefit.export(
        tmp_path / "run", tmp_path / "bundle", formats="onnx", precisions="fp32", progress=False
    )

    assert record.name == manifest.name == "run"
    assert [artifact.variant for artifact in manifest.artifacts] == ["onnx-fp32"]
