"""The bundle contract: whole, unchanged, and refused with a sentence otherwise."""

import json
from pathlib import Path

import pytest

from bench.bundle import MANIFEST, read_bundle
from bench.errors import InputError


def change(folder: Path, **keys: object) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, **keys}))


def test_a_bundle_reads_back_what_was_written(bundle_folder: Path) -> None:
    bundle = read_bundle(bundle_folder)

    assert [artifact.variant for artifact in bundle.manifest.artifacts] == [
        "torchscript-fp32",
        "onnx-fp32",
        "openvino-fp32",
    ]
    assert len(bundle.pack()) == bundle.manifest.pack.images


def test_size_counts_every_file_of_an_artifact(bundle_folder: Path) -> None:
    openvino = read_bundle(bundle_folder).select(["openvino-fp32"])[0]

    on_disk = sum(path.stat().st_size for path in (bundle_folder / "openvino-fp32").iterdir())
    assert openvino.size_bytes == on_disk
    assert len(openvino.files) == 2


@pytest.mark.parametrize("name", ["onnx-fp32/model.onnx", "openvino-fp32/model.bin", "evaluation.npz"])
def test_a_changed_byte_is_found_and_the_file_named(bundle_folder: Path, name: str) -> None:
    path = bundle_folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(InputError, match=rf"{name}: is not the file that was exported"):
        read_bundle(bundle_folder)


def test_a_missing_file_is_named(bundle_folder: Path) -> None:
    (bundle_folder / "onnx-fp32" / "model.onnx").unlink()

    with pytest.raises(InputError, match=r"model\.onnx: is missing from the bundle"):
        read_bundle(bundle_folder)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a bundle"):
        read_bundle(tmp_path)


def test_a_folder_that_is_not_there_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such folder; make a bundle with: edgefit export"):
        read_bundle(tmp_path / "nowhere")


def test_a_manifest_that_is_not_json_is_refused(bundle_folder: Path) -> None:
    (bundle_folder / MANIFEST).write_text("{")

    with pytest.raises(InputError, match=r"manifest\.json: is not valid JSON"):
        read_bundle(bundle_folder)


def test_an_unknown_key_is_named_with_the_one_that_was_meant(bundle_folder: Path) -> None:
    change(bundle_folder, artefacts=[])

    with pytest.raises(InputError, match="unknown key 'artefacts'; did you mean 'artifacts'"):
        read_bundle(bundle_folder)


def test_a_newer_schema_is_refused(bundle_folder: Path) -> None:
    change(bundle_folder, schema=99)

    with pytest.raises(InputError, match="schema"):
        read_bundle(bundle_folder)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b"])
def test_a_path_that_leaves_the_bundle_is_refused(bundle_folder: Path, path: str) -> None:
    content = json.loads((bundle_folder / MANIFEST).read_text())
    content["artifacts"][0]["files"][0]["path"] = path
    (bundle_folder / MANIFEST).write_text(json.dumps(content))

    with pytest.raises(InputError, match="must be a path inside the bundle"):
        read_bundle(bundle_folder)


def test_an_unknown_variant_gets_the_nearest_name(bundle_folder: Path) -> None:
    with pytest.raises(InputError, match="unknown variant 'onxx-fp32'; did you mean 'onnx-fp32'"):
        read_bundle(bundle_folder).select(["onxx-fp32"])


def test_an_entry_must_be_one_of_the_hashed_files(bundle_folder: Path) -> None:
    content = json.loads((bundle_folder / MANIFEST).read_text())
    content["artifacts"][0]["entry"] = "evaluation.npz"
    (bundle_folder / MANIFEST).write_text(json.dumps(content))

    with pytest.raises(InputError, match=r"entry 'evaluation\.npz' is none of the artifact's files"):
        read_bundle(bundle_folder)


def test_a_variant_that_could_not_be_exported_says_so_when_it_is_named(bundle_folder: Path) -> None:
    change(bundle_folder, failed=[{"variant": "onnx-int8", "stage": "export", "message": "no"}])

    with pytest.raises(InputError, match=r"onnx-int8 is not in .*: its export failed in stage export"):
        read_bundle(bundle_folder).select(["onnx-int8"])
