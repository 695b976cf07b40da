"""Recognises what a file holds by its first bytes, whatever its name says.

It decodes nothing: an image that begins as one may still be cut off. A name counts only where contents are
alike (an Office document is a ZIP archive) or unknown.
"""

import re
from dataclasses import dataclass
from pathlib import PurePath

from user_files.pointers import pointer_of

IMAGE_SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".bmp", ".dib", ".gif", ".tif", ".tiff"),
        *(".webp", ".pgm", ".ppm", ".pbm", ".pnm", ".jp2", ".j2k"),
    )
)
"""Suffixes of the images that edgefit reads: a file with one of them is meant to be an image."""
FORMATS = "PNG, JPEG, TIFF, BMP, GIF, WebP, PGM or JPEG 2000"
"""The images that edgefit reads, in words."""
DICOM_SUFFIXES = frozenset((".dcm", ".dicom"))


@dataclass(frozen=True)
class DataKind:
    """What a file holds."""

    one: str
    """In words, of one file: "a PDF document"."""
    many: str
    """In words, of several files: "PDF documents"."""
    is_image: bool = False
    """Whether edgefit reads it as an image."""
    may_be_picture: bool = True
    """Whether it may hold a picture that somebody wanted to be used; not so of a text."""


def _picture(name: str) -> DataKind:
    return DataKind(f"{'an' if name[0] in 'AH' else 'a'} {name} picture", f"{name} pictures")


IMAGE = DataKind("an image", "images", is_image=True)
DICOM = DataKind("a DICOM file", "DICOM files")
POINTER = DataKind("a pointer, not the file itself", "pointers of Git LFS, git-annex or DVC")
EMPTY = DataKind("an empty file", "empty files")
BROKEN_LINK = DataKind("a broken link", "broken links")
NO_REGULAR_FILE = DataKind("a pipe, socket or device", "pipes, sockets or devices")
UNREADABLE = DataKind("a file that cannot be opened", "files that cannot be opened")
UNKNOWN = DataKind("a file of no known kind", "files of no known kind")
_HEIC, _AVIF, _JPEG_XL, _SVG = map(_picture, ("HEIC", "AVIF", "JPEG XL", "SVG"))
_PHOTOSHOP = _picture("Photoshop")
_VIDEO = DataKind("a video", "videos")
_PDF = DataKind("a PDF document", "PDF documents")
_POSTSCRIPT = DataKind("a PostScript document", "PostScript documents")
_ARCHIVE = DataKind("an archive", "archives (ZIP and the like)")
_VOLUME = DataKind("a volume (NIfTI and the like)", "volumes (NIfTI and the like)")
_ARRAYS = DataKind("an array file", "array files (NumPy, HDF5)")
_SHORTCUT = DataKind("a Windows shortcut", "Windows shortcuts")
_OFFICE = DataKind("an Office document", "Office documents", may_be_picture=False)
_HTML = DataKind("an HTML page", "HTML pages", may_be_picture=False)
_XML = DataKind("an XML file", "XML files", may_be_picture=False)
_TABLE = DataKind("a table", "tables (CSV)", may_be_picture=False)
_DVC = DataKind("a DVC file", "DVC files", may_be_picture=False)
_TEXT = DataKind("a text file", "text files", may_be_picture=False)

_BY_CONTENT: tuple[tuple[bytes, DataKind], ...] = (
    (rb"\x89PNG\r\n\x1a\n", IMAGE),
    (rb"\xff\xd8\xff", IMAGE),  # JPEG
    (rb"GIF8[79]a", IMAGE),
    (rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", IMAGE),  # BMP: the size of its second header
    (rb"II[*+]\0|MM\0[*+]", IMAGE),  # TIFF
    (rb"RIFF.{4}WEBP", IMAGE),
    (rb"P[1-6]\s+(#[^\n]*\n\s*)*\d+\s", IMAGE),  # PBM, PGM, PPM
    (rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", IMAGE),  # JPEG 2000
    (rb".{128}DICM", DICOM),
    (rb"\x08\0.\0(UL|UI|CS)", DICOM),  # without its preamble
    (rb".{4}ftyp(hei[cxms]|hev[cx]|mif1|msf1)", _HEIC),
    (rb".{4}ftypavi[fs]", _AVIF),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", _JPEG_XL),
    (rb"8BPS", _PHOTOSHOP),
    (rb".{4}(ftyp|moov|mdat|wide)|RIFF.{4}AVI |\x1aE\xdf\xa3|\0\0\x01[\xb3\xba]|FLV\x01", _VIDEO),
    (rb"%PDF-", _PDF),
    (rb"%!PS", _POSTSCRIPT),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE),
    (rb"\x93NUMPY|\x89HDF\r\n", _ARRAYS),
    (rb".{344}n[+i]1\0|NRRD000|ObjectType\s*=", _VOLUME),
    (rb"PK\x03\x04|PK\x05\x06|\x1f\x8b|7z\xbc\xaf|Rar!|\xfd7zXZ|BZh[1-9]|.{257}ustar", _ARCHIVE),
    (rb"L\0\0\0\x01\x14\x02\0", _SHORTCUT),
    (rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg\W", _SVG),
    (rb"(?i:(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype )?html\W)", _HTML),
    (rb"(\xef\xbb\xbf)?\s*<\?xml\W", _XML),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), kind) for pattern, kind in _BY_CONTENT)
_BY_SUFFIX = {
    **dict.fromkeys((".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp"), _OFFICE),
    ".npz": _ARRAYS,
    ".gz": _ARCHIVE,
}
_TEXT_BY_SUFFIX = {".csv": _TABLE, ".tsv": _TABLE, ".dvc": _DVC}
_VOLUME_ENDINGS = (".nii.gz", ".mgz")
_NAMELESS = PurePath()
_NOT_TEXT = re.compile(r"[\0-\x08\x0e-\x1a]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def kind_of(head: bytes, name: PurePath = _NAMELESS) -> DataKind:
    """Return what a file holds that begins with `head`."""
    suffix = name.suffix.lower()
    if suffix in DICOM_SUFFIXES:
        return DICOM
    if not head:
        return EMPTY
    if pointer_of(head) is not None:
        return _DVC if suffix == ".dvc" else POINTER
    kind = next((kind for pattern, kind in _PATTERNS if pattern.match(head)), None)
    if kind is _ARCHIVE:
        return _VOLUME if name.name.lower().endswith(_VOLUME_ENDINGS) else _BY_SUFFIX.get(suffix, kind)
    if kind is not None:
        return kind
    return _TEXT_BY_SUFFIX.get(suffix, _TEXT) if _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    if head.startswith(_UTF16):
        return True
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
        text = head[: error.start].decode("utf-8")
    return _NOT_TEXT.search(text) is None


def is_named_as_image(name: PurePath) -> bool:
    """Tell whether a name has the suffix of an image that edgefit reads."""
    return name.suffix.lower() in IMAGE_SUFFIXES
