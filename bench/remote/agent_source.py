"""The agent as one text that a board's Python can run without a file: its modules, each made in memory."""

from functools import cache
from importlib import resources

_PACKAGE = "bench.remote.agent"
# In the order in which they import each other.
MODULES = ("store", "environments", "jobs", "probing", "serving")
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


@cache
def agent_source() -> bytes:
    """Return the agent's source, which serves whoever is at the other end of stdin."""
    folder = resources.files(_PACKAGE)
    sources = [(name, (folder / f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]
    return _LOADER.format(package=_PACKAGE, sources=sources).encode()
