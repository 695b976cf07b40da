"""Recognises a file by its first bytes. It knows no suffix, and not whether the rest of the file is whole."""

from enum import Enum

from user_files.data_kinds import DICOM, IMAGE, kind_of


class FileSignature(Enum):
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


PACKED = (FileSignature.COMPRESSED, FileSignature.ARCHIVE, FileSignature.TAR)
"""What has to be unpacked before it is read."""
_BYTES: tuple[tuple[int, bytes, FileSignature], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", FileSignature.HDF5),
    (4, b"TFL3", FileSignature.LITERT),
    (4, b"ET12", FileSignature.EXECUTORCH),
    (4, b"ORTM", FileSignature.ORT),
    (0, b"ftrt", FileSignature.TENSORRT),
    (0, b"ptrt", FileSignature.TENSORRT),
    (0, b"GGUF", FileSignature.GGUF),
    (0, b"\x1f\x8b", FileSignature.COMPRESSED),
    (0, b"BZh", FileSignature.COMPRESSED),
    (0, b"\xfd7zXZ\0", FileSignature.COMPRESSED),
    (0, b"\x28\xb5\x2f\xfd", FileSignature.COMPRESSED),
    (0, b"7z\xbc\xaf", FileSignature.ARCHIVE),
    (0, b"Rar!", FileSignature.ARCHIVE),
    (257, b"ustar", FileSignature.TAR),
    (0, b"\x93NUMPY", FileSignature.NUMPY),
    (0, b"%PDF-", FileSignature.PDF),
    (0, b"\x7fELF", FileSignature.PROGRAM),
)


def signature_of(head: bytes) -> FileSignature | None:
    """Return which kind of file begins with these bytes; None if none of this list does."""
    if kind_of(head) in (IMAGE, DICOM):
        return FileSignature.IMAGE
    return next((kind for offset, magic, kind in _BYTES if head.startswith(magic, offset)), None)
