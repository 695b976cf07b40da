"""Whatever happened to a file that edgefit reads: it is read, or refused in one line with code 2.

The files are damaged in the same ways each time. `make test-slow` tries many more.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from making.mutations import of_bytes, of_json
from making.tiny_report import make_report
from making.tiny_run import make_record
from safetensors.torch import save

from bench.bundle.evaluation_pack import EvaluationPack, read_pack, write_pack
from bench.bundle.found_preprocessing import find_preprocess
from bench.bundle.joined_preprocessing import ImageInput
from bench.bundle.manifest import read_bundle
from bench.bundle.model_files import read_model_file
from bench.bundle.sample_sources import samples_in_files
from bench.bundle.sidecar import read_sidecar
from bench.bundle.tensor_pack import TensorPack, read_tensor_pack, write_tensor_pack
from bench.choose.ship import shipping
from bench.devices.calibrated_profile import was_calibrated
from bench.remote import wheelhouse
from bench.remote.job_spec import Selection
from bench.remote.wheels import Platform
from bench.render.bmf import is_bmf, was_check_bmf
from bench.render.csv_table import was_csv
from bench.render.html.page import was_html
from bench.render.html.png import was_png
from bench.render.junit import was_check_junit, was_report_junit
from bench.render.markdown import was_check_markdown, was_report_markdown
from bench.report.files import read_report, to_json, was_a_report
from device_profiles.loading import read_profile
from export.data.npz_images import list_npz
from models import run_folder
from models.checkpoints.reading import read_checkpoint
from models.progress import Silent
from models.sources.npz import prepare_npz
from models.sources.options import SourceOptions
from user_files.path_kinds import path_kind

MANIFEST = "manifest.json"
PI = Platform("3.11", "2.36", "aarch64")


@dataclass(frozen=True)
class Document:
    """A file that edgefit reads."""

    name: str
    whole: Callable[[], bytes]
    read: Callable[[Path], object]
    mutations: Callable[[bytes, int, int], Iterator[bytes]] = of_bytes


def _of(write: Callable[[Path], object], name: str = "made.npz") -> bytes:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        write(Path(folder, name))
        return Path(folder, name).read_bytes()


def _pack() -> bytes:
    logits = np.eye(2, dtype=np.float32)
    pack = EvaluationPack(np.zeros((2, 8, 8), np.uint8), np.array([0, 1]), logits)
    return _of(lambda path: write_pack(path, pack))


def _tensors() -> bytes:
    pack = TensorPack((np.zeros((2, 3), np.float32), np.zeros((2, 1), np.int64)))
    return _of(lambda path: write_tensor_pack(path, pack))


def _medmnist() -> bytes:
    splits: dict[str, Any] = {}
    for split in ("train", "val", "test"):
        splits[f"{split}_images"] = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
        splits[f"{split}_labels"] = np.array([[0], [1], [0], [1]])
    return _of(lambda path: np.savez(path, **splits))


def _array() -> bytes:
    content = BytesIO()
    np.save(content, np.zeros((2, 3)))
    return content.getvalue()


def _checkpoint(is_legacy: bool) -> bytes:
    content = BytesIO()
    tensors = {"a.weight": torch.ones(3), "a.count": torch.tensor(1)}
    torch.save({"state": tensors, "epoch": 3}, content, _use_new_zipfile_serialization=not is_legacy)
    return content.getvalue()


def _wheelhouse() -> bytes:
    record = wheelhouse.Wheelhouse(
        python="3.11", glibc="2.36", machine="aarch64", formats=("onnx",), wheels={"a.whl": "0" * 64}
    )
    return record.model_dump_json().encode()


def _shipped() -> bytes:
    return shipping.Shipped(schema=1, variant="onnx-int8", files=()).model_dump_json(by_alias=True).encode()


_SIDECAR = b"""\
model: model.onnx
preprocess: {input_size: [3, 8, 8], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}
classes: [a, b]
"""
_CONFIG = b"""\
{"pretrained_cfg": {"input_size": [3, 8, 8], "mean": [0.5], "std": [0.5], "crop_pct": 0.9},
 "id2label": {"0": "a", "1": "b"}}
"""


def _found(path: Path) -> object:
    model = path.with_name("model.onnx")
    model.write_bytes(b"\x08\x07")
    return find_preprocess(model, {}, ImageInput((1, 3, 8, 8), "float32", "NCHW"))


def _read_wheels(path: Path) -> object:
    wheelhouse.written_files(path.parent)
    return wheelhouse.wheels_in(path.parent, PI, Selection(("onnx",), (), {}), has_system_runtimes=False)


def _read_run(path: Path) -> object:
    run_folder.written_files(path.parent)
    return run_folder.read_run(path.parent)


DOCUMENTS = (
    Document("report.json", lambda: to_json(make_report()).encode(), read_report, of_json),
    Document("run.json", lambda: make_record({}).model_dump_json(by_alias=True).encode(), _read_run, of_json),
    Document("wheelhouse.json", _wheelhouse, _read_wheels, of_json),
    Document("shipped.json", _shipped, lambda path: shipping.written_files(path.parent), of_json),
    Document("config.json", lambda: _CONFIG, _found, of_json),
    Document("edgefit.yaml", lambda: _SIDECAR, read_sidecar),
    Document("edgefit.yaml", lambda: _SIDECAR, _found),
    Document("profile.yaml", Path("device_profiles/laptop-cpu.yaml").read_bytes, read_profile),
    Document("pack.npz", _pack, read_pack),
    Document("inputs.npz", _tensors, read_tensor_pack),
    Document("sample.npy", _array, lambda path: list(samples_in_files([path]))),
    Document("sample.npz", _tensors, lambda path: list(samples_in_files([path]))),
    Document("data.npz", _medmnist, lambda path: prepare_npz(path, SourceOptions(32, False, 10))(Silent())),
    Document("images.npz", _medmnist, lambda path: list_npz(path, ()).read(np.arange(12), Silent())),
    Document("zip.pt", lambda: _checkpoint(False), read_checkpoint),
    Document("legacy.pt", lambda: _checkpoint(True), read_checkpoint),
    Document("w.safetensors", lambda: save({"a": torch.ones(3)}), read_checkpoint),
)


def _try(path: Path, content: bytes, read: Callable[[Path], object]) -> None:
    """Read a file, and fail if it is refused in any other way than by one sentence with code 2."""
    path.write_bytes(content)
    said = ""
    try:
        read(path)
    except Exception as error:
        if getattr(error, "exit_code", None) != 2:
            raise
        said = str(error)
    assert "\n" not in said
    path_kind(path)


def _try_all(folder: Path, document: Document, rounds: int) -> None:
    whole = document.whole()
    for index, content in enumerate(document.mutations(whole, 1, rounds)):
        try:
            _try(folder / document.name, content, document.read)
        except Exception as error:
            raise AssertionError(f"mutation {index} of {document.name}") from error


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, document: Document) -> None:
    _try_all(tmp_path, document, rounds=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_file_damaged_in_many_ways_is_read_or_refused_in_one_line(
    tmp_path: Path, document: Document
) -> None:
    _try_all(tmp_path, document, rounds=20)


def test_a_damaged_manifest_is_read_or_refused_in_one_line(bundle_folder: Path) -> None:
    document = Document(
        MANIFEST, (bundle_folder / MANIFEST).read_bytes, lambda path: read_bundle(path.parent), of_json
    )
    _try_all(bundle_folder, document, rounds=1)


@pytest.mark.parametrize("variant", ["onnx-fp32", "openvino-fp32", "torchscript-fp32"])
def test_a_damaged_model_file_is_read_or_refused_in_one_line(bundle_folder: Path, variant: str) -> None:
    manifest = json.loads((bundle_folder / MANIFEST).read_bytes())
    entry = next(each["entry"] for each in manifest["artifacts"] if each["variant"] == variant)
    place = bundle_folder / entry
    _try_all(place.parent, Document(place.name, place.read_bytes, read_model_file), rounds=1)


WRITTEN = (
    is_bmf, was_check_bmf, was_csv, was_html, was_png, was_report_junit, was_check_junit, was_report_markdown,
    was_check_markdown, was_a_report, was_calibrated,
)  # fmt: skip


@pytest.mark.parametrize("was_written", WRITTEN, ids=lambda function: function.__name__)
def test_whether_edgefit_wrote_a_file_is_answered_for_any_content(
    was_written: Callable[[bytes], bool],
) -> None:
    for content in of_json(to_json(make_report()).encode(), seed=2):
        assert was_written(content) in (True, False)
