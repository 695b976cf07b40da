"""The bundle contract: whole, unchanged, and refused with a sentence otherwise."""

import json
import os
import shutil
from pathlib import Path

import onnx
import pytest

from bench.bundle.manifest import MANIFEST, describe, read_bundle, written_files
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

    with pytest.raises(InputError, match=rf"{name} is not the exported file"):
        read_bundle(bundle_folder)


def test_a_missing_file_is_named(bundle_folder: Path) -> None:
    (bundle_folder / "onnx-fp32" / "model.onnx").unlink()

    with pytest.raises(InputError, match=r"model\.onnx is missing; export the bundle again"):
        read_bundle(bundle_folder)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a bundle"):
        read_bundle(tmp_path)


def test_a_missing_folder_is_refused_with_the_command_for_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such folder; make a bundle with: edgefit export"):
        read_bundle(tmp_path / "nowhere")


def test_a_manifest_that_is_not_json_is_refused(bundle_folder: Path) -> None:
    (bundle_folder / MANIFEST).write_text("{")

    with pytest.raises(InputError, match=r"manifest\.json is not valid JSON"):
        read_bundle(bundle_folder)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"schema": 1, "artifacts": ["x"]}', '{"schema": 1}', ""])
def test_a_manifest_of_any_damage_is_refused_and_makes_no_result(bundle_folder: Path, content: str) -> None:
    (bundle_folder / MANIFEST).write_text(content)

    with pytest.raises(InputError, match=MANIFEST):
        read_bundle(bundle_folder)
    assert written_files(bundle_folder) is None


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

    with pytest.raises(InputError, match=r"entry 'evaluation\.npz' is not one of the artifact's files"):
        read_bundle(bundle_folder)


def test_a_variant_that_could_not_be_exported_says_so_when_it_is_named(bundle_folder: Path) -> None:
    change(bundle_folder, failed=[{"variant": "onnx-int8", "stage": "export", "message": "no"}])

    with pytest.raises(InputError, match=r"onnx-int8 is not in .*: its export failed in stage export: no;"):
        read_bundle(bundle_folder).select(["onnx-int8"])


FOREIGN = ["weights.bin", "onnx-fp32/weights.bin", "other/weights.bin", ".DS_Store", "onnx-fp32/.hidden"]


@pytest.mark.parametrize("name", [*FOREIGN, "onnx-fp32/__pycache__/x.pyc", "manifest.json~"])
@pytest.mark.parametrize("held", [None, ("onnx-fp32",)])
def test_a_file_that_the_manifest_does_not_list_is_refused(
    bundle_folder: Path, name: str, held: tuple[str, ...] | None
) -> None:
    (bundle_folder / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle_folder / name).write_bytes(b"")

    with pytest.raises(InputError, match=rf"{name} is not listed in manifest\.json; delete it"):
        read_bundle(bundle_folder, held)


@pytest.mark.parametrize("points_at", ["onnx-fp32", "onnx-fp32/model.onnx", "nowhere", "/etc"])
def test_a_link_that_is_not_listed_is_refused_whatever_it_points_at(
    bundle_folder: Path, points_at: str
) -> None:
    (bundle_folder / "link").symlink_to(points_at)

    with pytest.raises(InputError, match=r"link is not listed in manifest\.json"):
        read_bundle(bundle_folder)


def test_a_pipe_that_is_not_listed_is_refused_and_not_waited_for(bundle_folder: Path) -> None:
    os.mkfifo(bundle_folder / "pipe")

    with pytest.raises(InputError, match=r"pipe is not listed in manifest\.json"):
        read_bundle(bundle_folder)


@pytest.mark.parametrize("is_inside", [True, False])
def test_a_listed_file_that_is_a_link_is_refused(
    bundle_folder: Path, tmp_path: Path, is_inside: bool
) -> None:
    listed = bundle_folder / "onnx-fp32" / "model.onnx"
    elsewhere = (bundle_folder if is_inside else tmp_path) / "elsewhere.onnx"
    listed.rename(elsewhere)
    listed.symlink_to(elsewhere)

    with pytest.raises(InputError, match=r"model\.onnx is a symbolic link"):
        read_bundle(bundle_folder)


def test_empty_folders_and_a_link_to_the_bundle_are_harmless(bundle_folder: Path, tmp_path: Path) -> None:
    (bundle_folder / "__pycache__" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(bundle_folder)

    assert read_bundle(tmp_path / "link").manifest == read_bundle(bundle_folder).manifest


def test_a_board_that_holds_some_variants_needs_no_files_of_the_others(bundle_folder: Path) -> None:
    for name in ("torchscript-fp32", "openvino-fp32"):
        shutil.rmtree(bundle_folder / name)

    assert read_bundle(bundle_folder, ("onnx-fp32",)).select(["onnx-fp32"])


def store_outside(bundle: Path, location: str, weights: Path) -> None:
    """Put the weights of onnx-fp32 into a file of their own, and the model's new hash into the manifest."""
    path = bundle / "onnx-fp32" / "model.onnx"
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        weights.write_bytes(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    list_again(bundle, "onnx-fp32", ["onnx-fp32/model.onnx"])


def list_again(bundle: Path, variant: str, paths: list[str]) -> None:
    content = json.loads((bundle / MANIFEST).read_text())
    artifact = next(each for each in content["artifacts"] if each["variant"] == variant)
    artifact["files"] = [describe(bundle, bundle / path).model_dump() for path in paths]
    (bundle / MANIFEST).write_text(json.dumps(content))


def test_external_data_that_is_listed_belongs_to_the_artifact(bundle_folder: Path) -> None:
    store_outside(bundle_folder, "./weights.bin", bundle_folder / "onnx-fp32" / "weights.bin")
    list_again(bundle_folder, "onnx-fp32", ["onnx-fp32/model.onnx", "onnx-fp32/weights.bin"])

    artifact = read_bundle(bundle_folder).select(["onnx-fp32"])[0]

    on_disk = sum(path.stat().st_size for path in (bundle_folder / "onnx-fp32").iterdir())
    assert artifact.size_bytes == on_disk


@pytest.mark.parametrize(
    "location", ["../../weights.bin", "/etc/hostname", "missing.bin", "", "../evaluation.npz"]
)
def test_external_data_that_is_not_listed_is_refused(
    bundle_folder: Path, tmp_path: Path, location: str
) -> None:
    store_outside(bundle_folder, location, tmp_path / "weights.bin")

    with pytest.raises(
        InputError, match=rf"model\.onnx refers to '{location}', which manifest\.json does not"
    ):
        read_bundle(bundle_folder)


@pytest.mark.parametrize("location", ["model.bin", "../openvino-fp32/model.bin"])
def test_external_data_that_another_artifact_lists_is_refused(bundle_folder: Path, location: str) -> None:
    shared = bundle_folder / ("onnx-fp32" if location == "model.bin" else "openvino-fp32") / "model.bin"
    store_outside(bundle_folder, location, shared)
    own = ["openvino-fp32/model.xml", "openvino-fp32/model.bin"]
    list_again(
        bundle_folder, "openvino-fp32", [*own, *{shared.relative_to(bundle_folder).as_posix()} - set(own)]
    )

    with pytest.raises(InputError, match=r"does not list for onnx-fp32; export the bundle again"):
        read_bundle(bundle_folder)


def test_openvino_weights_must_be_listed_beside_their_model(bundle_folder: Path) -> None:
    list_again(bundle_folder, "openvino-fp32", ["openvino-fp32/model.xml"])
    with pytest.raises(InputError, match=r"model\.bin is not listed"):
        read_bundle(bundle_folder)
    (bundle_folder / "openvino-fp32" / "model.bin").unlink()
    with pytest.raises(InputError, match=r"model\.xml refers to 'model\.bin', which manifest\.json does not"):
        read_bundle(bundle_folder)


def test_a_file_that_is_listed_twice_is_refused(bundle_folder: Path) -> None:
    list_again(bundle_folder, "onnx-fp32", ["onnx-fp32/model.onnx", "onnx-fp32/model.onnx"])

    with pytest.raises(InputError, match="lists a file twice"):
        read_bundle(bundle_folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"precision": "int8"}, "variant 'torchscript-fp32' is not torchscript-int8"),
        ({"cpu": "risc-v"}, "cpu 'risc-v' is not one of"),
        ({"entry": "other.pt"}, "entry 'other.pt' is not one of the artifact's files"),
    ],
)
def test_an_artifact_that_contradicts_itself_is_refused(
    bundle_folder: Path, changes: dict[str, str], words: str
) -> None:
    first, *others = json.loads((bundle_folder / MANIFEST).read_text())["artifacts"]
    change(bundle_folder, artifacts=[{**first, **changes}, *others])

    with pytest.raises(InputError, match=words):
        read_bundle(bundle_folder)


def test_a_file_or_a_variant_that_is_named_twice_is_refused(bundle_folder: Path) -> None:
    first, *others = json.loads((bundle_folder / MANIFEST).read_text())["artifacts"]

    change(bundle_folder, artifacts=[first, first, *others])
    with pytest.raises(InputError, match="a variant occurs twice"):
        read_bundle(bundle_folder)
    change(bundle_folder, artifacts=[{**first, "files": [*first["files"], *first["files"]]}, *others])
    with pytest.raises(InputError, match="'torchscript-fp32' lists a file twice"):
        read_bundle(bundle_folder)


def test_the_files_of_a_bundle_are_those_of_its_manifest(bundle_folder: Path, tmp_path: Path) -> None:
    files = written_files(bundle_folder)

    assert files is not None
    assert {MANIFEST, "evaluation.npz", "onnx-fp32/model.onnx"} <= files.keys()
    assert files[MANIFEST] is None
    assert written_files(tmp_path / "nowhere") is None
