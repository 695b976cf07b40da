"""A file's kind is recognised by its content, and what is no model is told in one sentence."""

import io
import json
import pickle
import struct
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image

from bench.bundle.file_kinds import LITERT, ONNX, OPENVINO, TORCHSCRIPT, FileKind, kind_of_file
from bench.runtimes.formats import FORMATS


def kind_of(content: bytes, name: str = "model") -> FileKind:
    return kind_of_file(Path("/nowhere") / name, content)


def onnx_model() -> onnx.ModelProto:
    node = helper.make_node("Relu", ["x"], ["y"])
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    return helper.make_model(helper.make_graph([node], "small", [value], []), producer_name="test")


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """Return a message of numbers and of texts or messages, by the numbers of its fields."""
    parts = b""
    for number, value in fields:
        written = varint(value) if isinstance(value, int) else varint(len(value)) + value
        parts += varint(number << 3 | (0 if isinstance(value, int) else 2)) + written
    return parts


def varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.onnx"))
    return file.getvalue()


def picture(format_name: str) -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4)).save(file, format_name)
    return file.getvalue()


def pickled_by_torch(**options: Any) -> bytes:
    file = io.BytesIO()
    torch.save({"weight": torch.ones(3)}, file, **options)
    return file.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"\0" * 4


def array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.ones(3))
    return file.getvalue()


GRAPH_DEF_NODE = message((1, b"input"), (2, b"Placeholder"), (5, message((1, b"dtype"))))
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
CONTENTS: dict[str, tuple[bytes, str, str]] = {
    "Git LFS": (LFS, "a Git LFS pointer", "git lfs pull"),
    "git-annex": (b"/annex/objects/SHA256E-s9--4d7a.onnx\n", "a git-annex pointer", "git annex get"),
    "DVC": (b"outs:\n- md5: 4d7a\n  path: model.onnx\n", "a DVC pointer", "dvc pull"),
    "web page": (b"\n\n<!DOCTYPE html>\n<html lang=en>", "a web page", "download the file itself"),
    "web page with comments": (b"<!-- a > b --><?xml version='1.0'?><HTML>", "a web page", "download"),
    "pickle": (pickle.dumps({"a": [1]}), "a pickle, which is code", "torch.jit.trace"),
    "oldest pickle": (pickle.dumps({"a": [1]}, protocol=0), "a pickle, which is code", "torch.jit.trace"),
    "pickle of an object": (pickle.dumps(Path("a"), protocol=0), "a pickle", "never runs|export it to ONNX"),
    "torch": (pickled_by_torch(), "a pickled PyTorch module or state dict", "torch.jit.trace"),
    "old torch": (
        pickled_by_torch(_use_new_zipfile_serialization=False),
        "a pickled PyTorch module or state dict",
        "torch.jit.trace",
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 90, "an HDF5 file, as Keras", "model.export"),
    "SavedModel": (message((1, 1), (2, message((1, b"meta"), (2, GRAPH_DEF_NODE)))), "SavedModel", "tf2onnx"),
    "GraphDef": (message((1, GRAPH_DEF_NODE), (1, GRAPH_DEF_NODE), (4, b"")), "TensorFlow graph", "tf2onnx"),
    "onnxruntime": (b"\x1c\0\0\0ORTM" + b"\0" * 40, "onnxruntime's own format", "the .onnx file"),
    "safetensors": (safetensors(), "weights without a network", "module:function --weights"),
    "Core ML": (message((1, 7), (2, b"\x0a\x00"), (502, b"")), "a Core ML model", "export it to ONNX"),
    "TensorRT": (b"ftrt" + b"\0" * 90, "a TensorRT engine", "the .onnx file"),
    "pnnx": (b"7767517\n12 11\npnnx.Input pnnx_input_0 0 1 0\n", "pnnx's own graph", ".ncnn.param"),
    "ncnn in binary": (b"\xdd\x85\x76\x00\x4b\x00", "an ncnn model in binary form", "in text form"),
    "PaddlePaddle": (message((1, message((1, 0), (2, 0), (3, b"\x0a\x00")))), "PaddlePaddle", "paddle2onnx"),
    "one tensor": (
        helper.make_tensor("x", 1, [2], [1, 2]).SerializeToString(),
        "one tensor",
        "edgefit takes",
    ),
    "XML": (b'<?xml version="1.0"?>\n<!-- c -->\n<Error><Code>NoSuchKey', "root element is <Error>", "takes"),
    "JSON": (b'{"message": "Not Found"}', "text, not a model", "edgefit takes"),
    "text": ("Größe\n".encode() * 2000, "text, not a model", "edgefit takes"),
    "text that ends within a letter": (b"x" + "ä".encode() * 4000, "text, not a model", "edgefit takes"),
    "tar": (tar(), "a tar archive", "unpack it"),
    "gzip": (b"\x1f\x8b\x08" + b"\0" * 90, "a compressed file", "unpack it"),
    "PNG": (picture("png"), "an image", "edgefit takes"),
    "JPEG": (picture("jpeg"), "an image", "edgefit takes"),
    "GIF": (picture("gif"), "an image", "edgefit takes"),
    "TIFF": (picture("tiff"), "an image", "edgefit takes"),
    "WebP": (picture("webp"), "an image", "edgefit takes"),
    "DICOM": (b"\0" * 128 + b"DICM" + b"\0" * 90, "an image", "edgefit takes"),
    "NumPy": (array(), "a NumPy array", "edgefit takes"),
    "noise": (bytes(range(255, 0, -1)), "of no kind that edgefit knows", "edgefit takes"),
    "zeros": (b"\0" * 500, "of no kind that edgefit knows", "edgefit takes"),
    "Latin-1": (b"Gr\xf6\xdfe\n" * 9, "of no kind that edgefit knows", "edgefit takes"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_what_is_no_model_is_told_with_what_to_do(name: str, tmp_path: Path) -> None:
    content, what, remedy = CONTENTS[name]
    path = tmp_path / "model"
    path.write_bytes(content)

    kind = kind_of_file(path, content)

    assert what in kind.what
    assert any(part in kind.remedy for part in remedy.split("|"))
    assert kind.format is None


@pytest.mark.parametrize("name", CONTENTS)
def test_the_content_decides_before_the_name(name: str, tmp_path: Path) -> None:
    content, what, _ = CONTENTS[name]
    for suffix in (".onnx", ".xml", ".pt"):
        path = tmp_path / f"model{suffix}"
        path.write_bytes(content)

        said = kind_of_file(path, content).what
        assert what in said or said.endswith("despite its name")


@pytest.mark.filterwarnings("ignore:The onnxtxt format is experimental")
@pytest.mark.parametrize("format_name", ["onnxtxt", "textproto", "json"])
def test_onnx_in_text_form_is_recognised_and_its_remedy_works(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "model.txt"
    onnx.save(onnx_model(), str(path), format_name)

    kind = kind_of(path.read_bytes())

    assert kind.what == "an ONNX model in text form"
    assert format_name in kind.remedy
    onnx.save(onnx.load(str(path), format_name), str(tmp_path / "model.onnx"))
    assert kind_of((tmp_path / "model.onnx").read_bytes()) == ONNX


@pytest.mark.parametrize("name", ["model.onnx", "model", "model.pb", "model.xml"])
def test_onnx_is_recognised_under_any_name(name: str) -> None:
    assert kind_of(onnx_model().SerializeToString(), name) == ONNX


def test_onnx_is_recognised_wherever_it_was_cut() -> None:
    content = onnx_model().SerializeToString()

    assert {kind_of(content[:length], "model.onnx") for length in range(2, len(content))} == {ONNX}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("prolog", ["", '<?xml version="1.0"?>\n', "<!-- made > by hand -->\n<!DOCTYPE net>"])
def test_openvino_is_recognised_in_any_encoding(encoding: str, prolog: str) -> None:
    content = f'{prolog}<net name="n" version="11"></net>'.encode(encoding)

    assert kind_of(content, "model.txt") == OPENVINO


def _zip(folder: Path, *names: str) -> Path:
    path = folder / "archive"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"1")
    return path


@pytest.mark.parametrize(
    ("names", "what", "remedy"),
    [
        (("net/data.pkl", "net/data/0"), "a pickled PyTorch module or state dict", "torch.jit.trace"),
        (
            ("net/.data/extern_modules", "net/a.py"),
            "a pickled PyTorch module or state dict",
            "torch.jit.trace",
        ),
        (("serialized_exported_program.json", "version"), "torch.export (.pt2)", "edgefit export"),
        (("metadata.json", "config.json", "model.weights.h5"), "a Keras model (.keras)", "model.export"),
        (("images.npy", "labels.npy"), "NumPy arrays", "edgefit takes"),
        (("README", "a/model.onnx", "b.pt"), "a zip archive", "give 'a/model.onnx'"),
        (("README",), "a zip archive", "the model file in it"),
        ((), "a zip archive", "the model file in it"),
    ],
)
def test_a_zip_archive_is_known_by_its_names(
    tmp_path: Path, names: tuple[str, ...], what: str, remedy: str
) -> None:
    path = _zip(tmp_path, *names)

    kind = kind_of_file(path, path.read_bytes())

    assert what in kind.what
    assert remedy in kind.remedy


class _Network(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 1


@pytest.fixture(scope="module")
def torchscript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torchscript") / "model.pt"
    torch.jit.trace(_Network(), torch.ones(1)).save(str(path))  # type: ignore[no-untyped-call]
    return path


def test_torchscript_is_recognised(torchscript: Path) -> None:
    assert kind_of_file(torchscript, torchscript.read_bytes()) == TORCHSCRIPT


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_torchscript_that_was_cut_is_told(torchscript: Path, tmp_path: Path, share: float) -> None:
    content = torchscript.read_bytes()
    path = tmp_path / "model.pt"
    path.write_bytes(content[: int(len(content) * share)])

    assert "was cut off" in kind_of_file(path, path.read_bytes()).what


def test_a_program_of_torch_export_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(_Network(), (torch.ones(1),)), path)

    assert "torch.export (.pt2)" in kind_of_file(path, path.read_bytes()).what


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.engine", "a TensorRT engine"),
        ("a.PLAN", "a TensorRT engine"),
        ("a.mlmodel", "a Core ML model"),
        ("a.bin", "of no kind"),
        ("a.onnx", "not ONNX, despite its name"),
        ("a.pt", "not TorchScript, despite its name"),
        ("a.xml", "not XML, despite its name"),
    ],
)
def test_the_name_decides_where_the_content_does_not(name: str, what: str) -> None:
    assert what in kind_of(b"\0" * 50, name).what


def test_weights_of_openvino_name_their_model(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text('<net name="n"></net>')

    kind = kind_of_file(tmp_path / "model.bin", onnx_model().SerializeToString())

    assert kind.what == "the weights of an OpenVINO model"
    assert str(tmp_path / "model.xml") in kind.remedy


def test_a_param_is_a_model_of_ncnn_and_its_weights_name_it(tmp_path: Path) -> None:
    content = b"7767517\n75 83\nInput data 0 1 data\n"
    (tmp_path / "model.ncnn.param").write_bytes(content)

    assert kind_of_file(tmp_path / "model.ncnn.param", content).format == "ncnn"
    weights = kind_of_file(tmp_path / "model.ncnn.bin", b"\0" * 9)
    assert weights.what == "the weights of an ncnn model"
    assert str(tmp_path / "model.ncnn.param") in weights.remedy


def test_weights_beside_another_xml_do_not(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<annotation></annotation>")

    assert "weights of an OpenVINO or ncnn model" in kind_of_file(tmp_path / "model.bin", b"\0" * 9).remedy


@pytest.mark.parametrize(
    "content",
    [
        b"<!---->" * 600,
        b"<!>" * 1300,
        b"<?>" * 1300,
        b"<" * 4096,
        b"a:\n" * 1300,
        b"#\n" * 2000,
        b"\x08\x01" * 50_000,
        b"\x0a\x00" * 50_000,
        b"\x0b" * 9000,
    ],
)
def test_no_content_takes_long(content: bytes) -> None:
    began = time.process_time()
    kind_of(content)

    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "content", [message((1, b"\xff\xff")), message((1, GRAPH_DEF_NODE))[:9], b"\x0a\x7f"]
)
def test_a_damaged_node_is_of_no_kind(content: bytes) -> None:
    assert "of no kind" in kind_of(content).what


def test_formats_and_suffixes_are_those_of_the_runtimes() -> None:
    for kind in (ONNX, OPENVINO, TORCHSCRIPT, LITERT):
        assert kind.format in FORMATS
        assert f"({FORMATS[kind.format].suffixes[0]})" in kind.remedy
