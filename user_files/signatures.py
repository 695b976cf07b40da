"""Recognises a file by its first bytes. It knows no suffix, and not whether the rest of the file is whole."""

from enum import Enum

from user_files.data_kinds import DICOM, IMAGE, kind_of


class Signature(Enum):
    """A kind of file that begins with bytes of its own; the value says what it is, after "is"."""

    HDF5 = "an HDF5 file, as Keras saves models (.h5)"
    LITERT = "a LiteRT (TensorFlow Lite) model"
    EXECUTORCH = "an ExecuTorch program (.pte)"
    ORT = "a model in onnxruntime's own format (.ort)"
    TENSORRT = "a TensorRT engine"
    GGUF = "a language model's weights (GGUF)"
    IMAGE = "an image"
    COMPRESSED = "a compressed file"
    ARCHIVE = "an archive"
    TAR = "a tar archive"
    NUMPY = "a NumPy array (.npy)"
    PDF = "a PDF document"
    PROGRAM = "a compiled program or library"


_BYTES: tuple[tuple[int, bytes, Signature], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", Signature.HDF5),
    (4, b"TFL3", Signature.LITERT),
    (4, b"ET12", Signature.EXECUTORCH),
    (4, b"ORTM", Signature.ORT),
    (0, b"ftrt", Signature.TENSORRT),
    (0, b"ptrt", Signature.TENSORRT),
    (0, b"GGUF", Signature.GGUF),
    (0, b"\x1f\x8b", Signature.COMPRESSED),
    (0, b"BZh", Signature.COMPRESSED),
    (0, b"\xfd7zXZ\0", Signature.COMPRESSED),
    (0, b"\x28\xb5\x2f\xfd", Signature.COMPRESSED),
    (0, b"7z\xbc\xaf", Signature.ARCHIVE),
    (0, b"Rar!", Signature.ARCHIVE),
    (257, b"ustar", Signature.TAR),
    (0, b"\x93NUMPY", Signature.NUMPY),
    (0, b"%PDF-", Signature.PDF),
    (0, b"\x7fELF", Signature.PROGRAM),
)


def signature_of(head: bytes) -> Signature | None:
    """Return which kind of file begins with these bytes; None if none of this list does."""
    if kind_of(head) in (IMAGE, DICOM):
        return Signature.IMAGE
    return next((kind for offset, magic, kind in _BYTES if head.startswith(magic, offset)), None)
