"""edgefit's code as a board receives it: the agent as one text, and the device part as one archive.

Both are the same bytes wherever they are made from the same source.
"""

import hashlib
import io
import zipfile
from functools import cache
from importlib import resources
from pathlib import Path

import bench
import device_profiles
import user_files

AGENT_PACKAGE = "bench.remote.agent"
# The agent's modules, in the order in which they import each other.
AGENT_MODULES = ("store", "trial", "environments", "jobs", "probing", "serving")
# A board's Python runs this without a file: each module is made in memory.
_LOADER = """
import sys, types
def _module(name, source=None):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = []
    if source is not None:
        exec(compile(source, name, "exec"), module.__dict__)
    return module
for _name in ("bench", "bench.remote", {package!r}):
    _module(_name)
for _name, _source in {sources!r}:
    _module({package!r} + "." + _name, _source)
sys.modules[{package!r} + ".serving"].main(0)
"""
_DEVICE_PACKAGES = (bench, device_profiles, user_files)
_ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)  # the first that an archive can name


@cache
def agent_source() -> bytes:
    """Return the agent's source, which serves whoever is at the other end of stdin."""
    sources = [(name, agent_module_source(name)) for name in AGENT_MODULES]
    return _LOADER.format(package=AGENT_PACKAGE, sources=sources).encode()


def agent_module_source(name: str) -> str:
    """Return the source of one of the agent's modules."""
    return (resources.files(AGENT_PACKAGE) / f"{name}.py").read_text(encoding="utf-8")


@cache
def code_archive() -> tuple[str, bytes]:
    """Return the SHA-256 and the bytes of an archive of the device part, as it is here."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in _DEVICE_PACKAGES:
            folder = Path(package.__path__[0])
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                    member = zipfile.ZipInfo(name, _ARCHIVE_TIME)
                    member.external_attr = 0o600 << 16
                    archive.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    return hashlib.sha256(content).hexdigest(), content
