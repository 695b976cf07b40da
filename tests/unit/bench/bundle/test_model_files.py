"""A model in a file is read with all that belongs to it, and everything else is refused in one sentence."""

import hashlib
import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.bundle.model_files import ModelFile, display_names, read_model_file, refuse_same_file
from bench.errors import InputError

WEIGHTS = np.ones((4, 2), np.float32).tobytes()
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def onnx_file(path: Path, data: Sequence[str] = ()) -> Path:
    """Write a model whose weights lie in the files `data`, in itself if there are none."""
    weights = [numpy_helper.from_array(np.ones((4, 2), np.float32), "w")]
    weights += [_external(f"w{index}", name) for index, name in enumerate(data)]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "small", [], [], weights)
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def _external(name: str, location: str) -> TensorProto:
    tensor = TensorProto(
        name=name, dims=[4, 2], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL
    )
    tensor.external_data.add(key="location", value=location)
    return tensor


def openvino_file(path: Path) -> Path:
    path.write_text('<?xml version="1.0"?>\n<net name="n" version="11"><layers/></net>\n')
    return path


def refusal(path: Path) -> str:
    """Return why a file is refused, in one line that begins with its name."""
    with pytest.raises(InputError) as caught:
        read_model_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path.parent}")
    assert "\n" not in message
    return message


def test_a_model_of_one_file_has_the_hash_of_that_file(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx")
    content = path.read_bytes()

    assert read_model_file(path) == ModelFile(
        path, "onnx", (path,), len(content), hashlib.sha256(content).hexdigest()
    )


@pytest.mark.parametrize("format_name", ["onnx", "openvino", "torchscript"])
def test_each_format_of_a_bundle_is_read(bundle_folder: Path, format_name: str) -> None:
    folder = bundle_folder / f"{format_name}-fp32"
    entry = next(path for path in folder.iterdir() if path.suffix != ".bin")

    model = read_model_file(entry)

    assert (model.format, model.files[0]) == (format_name, entry)
    assert set(model.files) == set(folder.iterdir())
    assert model.size_bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_external_data_belongs_to_the_model(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx", ["b.data", "data/a.data", "b.data"])
    (tmp_path / "data").mkdir()
    others = tmp_path / "b.data", tmp_path / "data" / "a.data"
    for other in others:
        other.write_bytes(WEIGHTS)

    model = read_model_file(path)

    assert model.files == (path, *others)
    assert model.size_bytes == path.stat().st_size + 2 * len(WEIGHTS)


def test_the_hash_is_of_all_files_and_not_of_their_names(tmp_path: Path) -> None:
    for name in ("a/model.onnx", "b/other.onnx", "c/model.onnx"):
        onnx_file(tmp_path / name, ["w.data"]).with_name("w.data").write_bytes(WEIGHTS)
    (tmp_path / "c" / "w.data").write_bytes(WEIGHTS[::-1])

    models = [read_model_file(tmp_path / name) for name in ("a/model.onnx", "b/other.onnx", "c/model.onnx")]

    assert models[0].sha256 == models[1].sha256 != models[2].sha256


@pytest.mark.parametrize("name", [os.fsdecode(b"a\xff.onnx"), "a\x1b[2J.onnx"])
def test_a_name_that_no_report_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    assert "so a report cannot name it; rename it" in refusal(onnx_file(tmp_path / name))


def test_missing_external_data_is_named(tmp_path: Path) -> None:
    message = refusal(onnx_file(tmp_path / "model.onnx", ["weights.bin"]))

    assert "refers to 'weights.bin', which is missing" in message
    assert str(tmp_path / "weights.bin") in message


@pytest.mark.parametrize("name", ["../w.data", "/etc/hostname", "data/../../w.data", "..\\w.data", "."])
def test_external_data_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "w.data").write_bytes(WEIGHTS)

    message = refusal(onnx_file(tmp_path / "inner" / "model.onnx", [name]))

    assert f"refers to {name!r}, outside its folder" in message


@pytest.mark.parametrize("is_folder", [True, False])
def test_external_data_through_a_link_out_of_the_folder_is_refused(tmp_path: Path, is_folder: bool) -> None:
    path = onnx_file(tmp_path / "inner" / "model.onnx", ["data/w.data" if is_folder else "w.data"])
    (tmp_path / "w.data").write_bytes(WEIGHTS)
    link = path.with_name("data") if is_folder else path.with_name("w.data")
    link.symlink_to(tmp_path if is_folder else tmp_path / "w.data")

    assert "a symbolic link out of its folder" in refusal(path)


def test_a_download_cache_links_model_and_data_into_one_folder(tmp_path: Path) -> None:
    blob = onnx_file(tmp_path / "blobs" / "4d7a", ["model.onnx.data"])
    (tmp_path / "blobs" / "81bc").write_bytes(WEIGHTS)
    (tmp_path / "snapshot").mkdir()
    path = tmp_path / "snapshot" / "model.onnx"
    path.symlink_to("../blobs/4d7a")
    path.with_name("model.onnx.data").symlink_to("../blobs/81bc")

    model = read_model_file(path)

    assert model.files == (path, path.with_name("model.onnx.data"))
    assert model.size_bytes == blob.stat().st_size + len(WEIGHTS)


def test_a_link_to_a_model_whose_data_is_beside_the_model_names_the_model(tmp_path: Path) -> None:
    real = onnx_file(tmp_path / "real" / "model.onnx", ["w.data"])
    real.with_name("w.data").write_bytes(WEIGHTS)
    path = tmp_path / "link.onnx"
    path.symlink_to(real)

    assert f"give the model itself instead of the link: {real}" in refusal(path)


def test_external_data_that_is_no_file_is_refused(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx", ["w.data"])
    os.mkfifo(tmp_path / "w.data")

    assert "refers to 'w.data', which is not a file" in refusal(path)


def test_external_data_that_is_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx", ["w.data"])
    (tmp_path / "w.data").write_text(LFS)

    message = refusal(path)

    assert message.startswith(f"{tmp_path / 'w.data'}: is a Git LFS pointer")
    assert "git lfs pull" in message


def test_a_web_page_in_place_of_weights_is_named(tmp_path: Path) -> None:
    path = openvino_file(tmp_path / "model.xml")
    (tmp_path / "model.bin").write_text("<!doctype html><html>Not found</html>")

    assert refusal(path).startswith(f"{tmp_path / 'model.bin'}: is a web page")


def test_openvino_without_its_weights_is_refused(tmp_path: Path) -> None:
    assert "refers to 'model.bin', which is missing" in refusal(openvino_file(tmp_path / "model.xml"))


def test_openvino_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = openvino_file(tmp_path / "model.xml")
    path.with_suffix(".bin").write_bytes(WEIGHTS)
    path.write_text(path.read_text()[:-9])

    assert "is an OpenVINO model that was cut off" in refusal(path)


def test_onnx_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "model.onnx")
    path.write_bytes(path.read_bytes()[:60])

    assert "is a damaged ONNX model, cut off perhaps" in refusal(path)


def test_a_missing_file_is_told_what_is_taken(tmp_path: Path) -> None:
    onnx_file(tmp_path / "model.onnx")

    assert "no such file; edgefit takes ONNX (.onnx)" in refusal(tmp_path / "unlike.txt")
    assert "no such file; did you mean" in refusal(tmp_path / "modle.onnx")
    assert "model.onnx is a file, not a folder" in refusal(tmp_path / "model.onnx" / "inner.onnx")


@pytest.mark.parametrize(
    ("target", "remedy"),
    [("nowhere", "put that file there"), ("../.git/annex/objects/aa/b.onnx", "git annex get")],
)
def test_a_link_to_nothing_is_told(tmp_path: Path, target: str, remedy: str) -> None:
    path = tmp_path / "model.onnx"
    path.symlink_to(target)

    message = refusal(path)

    assert f"a symbolic link to {target!r}, which is missing" in message
    assert remedy in message


def test_a_link_to_itself_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.symlink_to(path)

    assert "cannot be read (Too many levels of symbolic links)" in refusal(path)


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.touch()

    assert "is empty; copy, download or export it again" in refusal(path)


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_text(LFS)

    assert (
        "is a Git LFS pointer, not the file itself; install git-lfs, and fetch the file with: git lfs pull"
        in refusal(path)
    )


def test_a_file_that_must_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = onnx_file(tmp_path / "model.onnx")

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything

    assert "cannot be read (Permission denied)" in refusal(path)


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.onnx")

    assert "is a pipe, not a file" in refusal(tmp_path / "model.onnx")


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("model.onnx")

    assert "is a socket, not a file" in refusal(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["null", "zero"])
def test_a_device_is_refused_without_waiting(name: str) -> None:
    assert "is a device, not a file" in refusal(Path("/dev", name))


@pytest.mark.parametrize(
    ("folder", "files", "what"),
    [
        ("net", ["saved_model.pb", "keras_metadata.pb"], "is a TensorFlow SavedModel; convert it"),
        ("net.mlpackage", ["Manifest.json"], "is a Core ML model"),
        ("net", ["manifest.json", "a.onnx"], "is a bundle, not a model file"),
        ("net.onnx", ["b.xml", "b.bin", "a.ONNX"], "not a model file; give a model in it: a.ONNX, b.xml"),
        ("net", ["1.onnx", "2.onnx", "3.onnx", "4.onnx"], "1.onnx, 2.onnx, 3.onnx …"),
        ("model.onnx", [], "neither a bundle (it has no manifest.json) nor a model file; edgefit takes"),
    ],
)
def test_a_folder_is_told(tmp_path: Path, folder: str, files: list[str], what: str) -> None:
    (tmp_path / folder).mkdir()
    for name in files:
        (tmp_path / folder / name).touch()

    assert what in refusal(tmp_path / folder)


def test_one_file_is_given_once(tmp_path: Path) -> None:
    path, link = onnx_file(tmp_path / "model.onnx"), tmp_path / "link.onnx"
    link.symlink_to("model.onnx")
    shutil.copy(path, tmp_path / "copy.onnx")

    refuse_same_file([path, tmp_path / "copy.onnx", tmp_path / "missing.onnx"])
    with pytest.raises(InputError, match=r"model\.onnx: is given twice; give each model once"):
        refuse_same_file([path, path])
    with pytest.raises(InputError, match=r"link\.onnx: is the same file as .*model\.onnx"):
        refuse_same_file([path, link])


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ([], []),
        (["model.onnx"], ["model.onnx"]),
        (["/x/a/model.onnx"], ["model.onnx"]),
        (["/x/a/model.onnx", "/x/b/model.onnx"], ["a/model.onnx", "b/model.onnx"]),
        (["/x/a/model.onnx", "/x/b/other.onnx"], ["model.onnx", "other.onnx"]),
        (["/x/a/m.onnx", "/x/b/m.onnx", "/x/c.onnx"], ["a/m.onnx", "b/m.onnx", "c.onnx"]),
        (["/x/1/a/m.onnx", "/x/2/a/m.onnx", "/x/2/b/m.onnx"], ["1/a/m.onnx", "2/a/m.onnx", "b/m.onnx"]),
        (["/m.onnx", "/a/m.onnx"], ["/m.onnx", "a/m.onnx"]),
        (["/a/m.onnx", "/a/a/m.onnx"], ["/a/m.onnx", "a/a/m.onnx"]),
        (["/x/a/../b/m.onnx", "/x/a/m.onnx"], ["b/m.onnx", "a/m.onnx"]),
        (["/x/m.onnx", "/x/m.onnx"], ["m.onnx", "m.onnx"]),
        (["/x/m|[1]<b>.onnx"], ["m|[1]<b>.onnx"]),
        (["/x/control", "/x/null"], ["./control", "./null"]),
    ],
)
def test_names_are_as_short_as_tells_them_apart(paths: list[str], names: list[str]) -> None:
    assert display_names([Path(path) for path in paths]) == names


def test_names_know_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    assert display_names([Path("m.onnx"), Path("../m.onnx")]) == ["here/m.onnx", f"{tmp_path.name}/m.onnx"]


def test_a_model_whose_line_ends_were_converted_is_refused_before_a_runtime_reads_it(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"\x08\x07\x12\x04test" + bytes(range(256)).replace(b"\n", b"\r\n") * 9)

    with pytest.raises(InputError, match=r"model\.onnx: is damaged, because its line ends were converted"):
        read_model_file(model)


def test_converted_weights_of_an_openvino_model_are_refused_for_it_would_compute_other_values(
    tmp_path: Path,
) -> None:
    model = tmp_path / "model.xml"
    layer = '<layer id="0" type="Const"><data offset="0" size="2304"/></layer>'
    model.write_text(f'<?xml version="1.0"?><net name="n" version="11"><layers>{layer}</layers></net>')
    model.with_suffix(".bin").write_bytes(bytes(range(256)).replace(b"\n", b"\r\n") * 9)

    with pytest.raises(InputError, match=r"model\.bin: is damaged, because its line ends were converted"):
        read_model_file(model)
