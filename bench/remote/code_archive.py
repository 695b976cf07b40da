"""edgefit's device part as one archive, the same bytes wherever it is made from the same source."""

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path

import bench
import device_profiles

_PACKAGES = (bench, device_profiles)
_ANY_TIME = (1980, 1, 1, 0, 0, 0)  # the first that an archive can name


@cache
def code_archive() -> tuple[str, bytes]:
    """Return the SHA-256 and the bytes of an archive of bench/ and device_profiles/, as they are here."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in _PACKAGES:
            folder = Path(package.__path__[0])
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    member = zipfile.ZipInfo(
                        f"{folder.name}/{path.relative_to(folder).as_posix()}", _ANY_TIME
                    )
                    member.external_attr = 0o600 << 16
                    archive.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)
    content = whole.getvalue()
    return hashlib.sha256(content).hexdigest(), content
