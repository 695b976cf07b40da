"""What a file is, by its content: a model that edgefit takes, or what else, with what to do instead.

A name decides only where the content does not. It reads the beginning, a zip archive's table of contents and
the outermost fields of Protocol Buffers; it knows no other file, and not whether a model is whole.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.model_suffixes import SUFFIXES, TAKEN
from bench.bundle.protobuf import (
    LENGTH,
    VARINT,
    Content,
    DamagedMessageError,
    Field,
    fields_of,
    read_field,
    whole_message,
)
from bench.bundle.referred_files import is_ncnn, is_openvino
from user_files.contents import ContentError
from user_files.faults import converted, replaced_by
from user_files.line_ends import are_converted
from user_files.markup import without_encoding, without_prolog
from user_files.reading import reading
from user_files.safetensors_header import is_safetensors
from user_files.signatures import FileSignature, signature_of
from user_files.zip_names import names_in_zip

_AGAIN = "copy, download or export it again"
_UNPACK = "unpack it, and give the model file in it"


@dataclass(frozen=True)
class FileKind:
    """What a file is, as the end of "FILE: is …; …"."""

    what: str
    """What it is."""
    remedy: str = TAKEN
    """What to do, for a file that edgefit does not take."""
    format: str | None = None
    """The name of the format whose runtime takes it; None if none does."""


ONNX = FileKind("an ONNX model", format="onnx")
OPENVINO = FileKind("an OpenVINO model", format="openvino")
TORCHSCRIPT = FileKind("a TorchScript program", format="torchscript")
EXECUTORCH = FileKind(FileSignature.EXECUTORCH.value, format="executorch")
NCNN = FileKind("an ncnn model", format="ncnn")
LITERT = FileKind(FileSignature.LITERT.value, format="litert")

_WITH_NETWORK = (
    "name the function that builds the network: edgefit export package.module:function --weights FILE"
)
_NEVER_UNPICKLED = (
    f"{_WITH_NETWORK}, where FILE has its state dict; or save the network with torch.jit.trace(network, "
    "example).save(FILE), or export it to ONNX"
)
_PICKLE = FileKind("a pickle, which is code that edgefit never runs", _NEVER_UNPICKLED)
_TORCH_PICKLE = FileKind(
    "a pickled PyTorch module or state dict, which is code that edgefit never runs", _NEVER_UNPICKLED
)
TORCH_PROGRAM = FileKind(
    "a program of torch.export (.pt2), which edgefit exports but does not measure",
    "make files of it that run on devices: edgefit export FILE --data DIR --out BUNDLE",
)
_KERAS_REMEDY = "export it from Keras with model.export('model.onnx', format='onnx')"
SAVED_MODEL = FileKind(
    "a TensorFlow SavedModel",
    "convert it with: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx",
)
_GRAPH_DEF = FileKind(
    "a TensorFlow graph (.pb)",
    "convert it with: python -m tf2onnx.convert --graphdef FILE --inputs … --outputs … --output model.onnx",
)
CORE_ML = FileKind("a Core ML model, which runs on Apple's systems alone", f"export it to ONNX; {TAKEN}")
_PADDLE = FileKind("a PaddlePaddle model (.pdmodel)", "convert it to ONNX with paddle2onnx")
_TENSORRT = FileKind(
    "a TensorRT engine, which belongs to one GPU and one version",
    "give the .onnx file that it was built from",
)
_SAFETENSORS = FileKind(
    "safetensors, which are weights without a network", f"{_WITH_NETWORK}, or export the two to ONNX"
)
_PNNX = FileKind(
    "pnnx's own graph (.pnnx.param), which ncnn does not run",
    "give the .ncnn.param file that pnnx wrote beside it",
)
_NCNN_BINARY = FileKind("an ncnn model in binary form (.param.bin)", "give the .param file in text form")

_BY_SIGNATURE: dict[FileSignature, FileKind] = {
    FileSignature.HDF5: FileKind(FileSignature.HDF5.value, _KERAS_REMEDY),
    FileSignature.LITERT: LITERT,
    FileSignature.EXECUTORCH: EXECUTORCH,
    FileSignature.ORT: FileKind(FileSignature.ORT.value, "give the .onnx file that it was made from"),
    FileSignature.TENSORRT: _TENSORRT,
    FileSignature.GGUF: FileKind(FileSignature.GGUF.value),
    FileSignature.IMAGE: FileKind("an image, not a model"),
    FileSignature.COMPRESSED: FileKind(FileSignature.COMPRESSED.value, _UNPACK),
    FileSignature.ARCHIVE: FileKind(FileSignature.ARCHIVE.value, _UNPACK),
    FileSignature.TAR: FileKind(FileSignature.TAR.value, _UNPACK),
    FileSignature.NUMPY: FileKind("a NumPy array, not a model"),
    FileSignature.PDF: FileKind("a PDF document, not a model"),
    FileSignature.PROGRAM: FileKind("a compiled program or library, not a model"),
}
# The models whose weights lie in a .bin of the same name.
_WITH_WEIGHTS = ((".xml", is_openvino, OPENVINO.what), (".param", is_ncnn, NCNN.what))
_ZIP = re.compile(rb"PK(\x03\x04|\x05\x06)")
_TORCH_PICKLE_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_BINARY_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_HEAD_BYTES = 4096
_BLOCK = 1 << 20

_ONNX_TEXT = FileKind(
    "an ONNX model in text form",
    "write it as binary with onnx.save(onnx.load(FILE, format), 'model.onnx'), "
    "where format is onnxtxt, textproto or json",
)
_TEXTS: tuple[tuple[re.Pattern[bytes], FileKind], ...] = (
    (re.compile(rb"7767517\s+\d+\s+\d+\s+pnnx\."), _PNNX),
    (re.compile(rb"7767517\s"), NCNN),
    (re.compile(re.escape((7767517).to_bytes(4, "little"))), _NCNN_BINARY),
    (re.compile(rb"\s*<\s*ir_version\s*:|(#.*\n|\s)*ir_version:|\s*\{\s*\"ir_?[vV]ersion\""), _ONNX_TEXT),
    (re.compile(rb"\(?(c[\w.]+\n\w+\n|[dl]p\d+\n)"), _PICKLE),
)
_XML_ROOT = re.compile(rb"<([\w:.-]+)")
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")

# The outermost fields of Protocol Buffers: their numbers, and how they are written.
_ONNX_MODEL = {(1, VARINT), (7, LENGTH)}
_ONNX_TENSOR = {(1, VARINT), (2, VARINT)}
_ONNX_BEFORE_GRAPH = {(1, VARINT), *((number, LENGTH) for number in (2, 3, 4, 6, 7)), (5, VARINT)}
_NUMBER_THEN_MESSAGE = {(1, VARINT), (2, LENGTH)}
# A text, such as the name of ONNX's producer, does not begin as a message does, with its first field.
_MESSAGE_BEGINS = b"\x0a"
_CORE_ML_NETWORKS = 200
_MOST_FIELDS = 1000

_BY_SUFFIX: dict[str, FileKind] = {
    ".engine": _TENSORRT,
    ".plan": _TENSORRT,
    ".trt": _TENSORRT,
    ".mlmodel": CORE_ML,
    ".pdmodel": _PADDLE,
    ".bin": FileKind(
        "of no kind that edgefit knows",
        "if it holds the weights of an OpenVINO or ncnn model, give the .xml or .param file",
    ),
    ".onnx": FileKind("not ONNX, despite its name", _AGAIN),
    ".xml": FileKind("not XML, despite its name", _AGAIN),
    ".pt": FileKind("not TorchScript, despite its name", _AGAIN),
    ".tflite": FileKind("not LiteRT, despite its name", _AGAIN),
    ".pth": FileKind("not TorchScript, despite its name", _AGAIN),
    ".pte": FileKind("not ExecuTorch, despite its name", _AGAIN),
}
_UNKNOWN = FileKind("of no kind that edgefit knows")


def kind_of_file(path: Path, content: Content) -> FileKind:
    """Return what the file `path` is; `content`: its bytes, at least one."""
    head = content[:_HEAD_BYTES]
    if (weights := _weights_beside(path)) is not None:
        return weights
    if are_converted(content[start : start + _BLOCK] for start in range(0, len(content), _BLOCK)):
        fault = converted(path)
        return FileKind(fault.what, fault.remedy)
    if (signature := signature_of(head)) is not None:
        return _BY_SIGNATURE[signature]
    if _ZIP.match(head):
        return _kind_of_zip(path)
    if _BINARY_PICKLE.match(head):
        return _TORCH_PICKLE if head.startswith(_TORCH_PICKLE_MAGIC) else _PICKLE
    if is_safetensors(head):
        return _SAFETENSORS
    return (
        _kind_of_text(head, is_openvino(content))
        or _kind_of_protobuf(content, path.suffix.lower())
        or _BY_SUFFIX.get(path.suffix.lower(), _UNKNOWN)
    )


def kind_of_pointer(head: bytes) -> FileKind | None:
    """Return what a file is that stands for another one, or was saved instead of it; None if it does not."""
    fault = replaced_by(head)
    return None if fault is None else FileKind(fault.what, fault.remedy)


def _weights_beside(path: Path) -> FileKind | None:
    """Return that a `.bin` is the weights of an OpenVINO or ncnn model, if the model lies beside it."""
    for suffix, is_model, what in _WITH_WEIGHTS:
        network = path.with_suffix(suffix)
        if path.suffix.lower() != ".bin" or not network.is_file():
            continue
        with reading(network) as file:
            if is_model(file.read(_HEAD_BYTES)):
                return FileKind(f"the weights of {what}", f"give the model, {network}")
    return None


def _kind_of_zip(path: Path) -> FileKind:
    """Return what a zip archive is, by the names in it. torch puts all into one folder of any name."""
    try:
        names = names_in_zip(path)
    except ContentError:
        return FileKind("a zip archive, as a TorchScript .pt is, that was cut off or damaged", _AGAIN)
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
        return TORCHSCRIPT
    if "archive_format" in inner or "serialized_exported_program.json" in names:
        return TORCH_PROGRAM
    if ".data/extern_modules" in inner or "data.pkl" in inner:
        return _TORCH_PICKLE
    if {"config.json", "model.weights.h5"} <= set(names):
        return FileKind("a Keras model (.keras)", _KERAS_REMEDY)
    if names and all(name.endswith(".npy") for name in names):
        return FileKind("NumPy arrays (.npz), not a model")
    return FileKind("a zip archive", _unpack(names))


def _unpack(names: Sequence[str]) -> str:
    models = [name for name in names if name.endswith(SUFFIXES)]
    return f"unpack it, and give {models[0]!r}" if models else _UNPACK


def _kind_of_text(head: bytes, is_network: bool) -> FileKind | None:
    """Return which text a file is; None if it is none. `is_network`: it has OpenVINO's root element."""
    head = without_encoding(head)
    if (pointer := kind_of_pointer(head)) is not None:
        return pointer
    for pattern, kind in _TEXTS:
        if pattern.match(head):
            return kind
    if _NOT_TEXT.search(head):
        return None
    content = without_prolog(head)
    if root := _XML_ROOT.match(content):
        return OPENVINO if is_network else _other_xml(root.group(1))
    return FileKind("text, not a model") if _is_utf8(head) else None


def _other_xml(root: bytes) -> FileKind:
    return FileKind(
        f"XML, but no OpenVINO model: its root element is <{root.decode(errors='replace')}>, not <net>"
    )


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and len(head) == _HEAD_BYTES  # the last letter may be cut
    return True


def _kind_of_protobuf(content: Content, suffix: str) -> FileKind | None:
    """Return which Protocol Buffers a file is; None if it is none that has a name here."""
    fields = list(_first_fields(content))
    shape = {(field.number, field.written) for field in fields}
    if shape >= _ONNX_MODEL:
        return ONNX
    if shape >= _ONNX_TENSOR:
        return FileKind("one tensor of ONNX, as tests store inputs (.pb), not a model")
    if shape >= _NUMBER_THEN_MESSAGE and any(field.number >= _CORE_ML_NETWORKS for field in fields):
        return CORE_ML
    if shape == _NUMBER_THEN_MESSAGE and content[fields[-1].start : fields[-1].start + 1] == _MESSAGE_BEGINS:
        return SAVED_MODEL
    if suffix == ".onnx" and shape and shape <= _ONNX_BEFORE_GRAPH:
        return ONNX
    if fields and (fields[0].number, fields[0].written) == (1, LENGTH):
        return _kind_of_nodes(content, fields[0])
    return None


def _kind_of_nodes(content: Content, first: Field) -> FileKind | None:
    """Return what a file is that begins with a node or a block, by the fields of it."""
    try:
        shape = {(field.number, field.written) for field in fields_of(content, first)}
    except (DamagedMessageError, IndexError):
        return None
    if shape >= {(1, VARINT), (2, VARINT)}:
        return _PADDLE
    return _GRAPH_DEF if shape >= {(1, LENGTH), (2, LENGTH)} else None


def _first_fields(content: Content) -> Iterator[Field]:
    """Yield the outermost fields up to a damage, with the one that was cut off."""
    message, position = whole_message(content), 0
    try:
        for _ in range(_MOST_FIELDS):
            if position == message.end:
                return
            field = read_field(content, position, message.end)
            position = field.end
            yield field
    except DamagedMessageError as error:
        if error.field is not None:
            yield error.field
