"""How edgefit starts another Python: the command, and the environment. Every worker is started so."""

import os
import sys
from collections.abc import Mapping

from bench.own_path import HOME, named_folders
from bench.system.parent_death import PARENT
from bench.system.thread_variables import without_thread_variables

# Of the variables that Python itself reads, those that say where it finds modules and how it names files.
# Others, such as PYTHONINSPECT or PYTHONWARNINGS, would change what a worker does.
_INHERITED = frozenset(
    {
        "PYTHONCOERCECLOCALE",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONNOUSERSITE",
        "PYTHONPATH",
        "PYTHONPLATLIBDIR",
        "PYTHONPYCACHEPREFIX",
        "PYTHONUSERBASE",
        "PYTHONUTF8",
    }
)
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from bench.own_path import put_own_first; "
    "put_own_first(); from bench.system.parent_death import die_with_parent; die_with_parent(); "
    "import runpy; runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def python_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module as `python -m` does, except that the current folder is last.

    With the environment of `python_environment`, its process ends when this one does.
    """
    return (sys.executable, "-c", _START, HOME, module, *arguments)


def python_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of such a process: this one's without what would change it, and `added`."""
    inherited = {
        name: value
        for name, value in without_thread_variables(os.environ).items()
        if not name.startswith("PYTHON") or name in _INHERITED
    }
    if folders := named_folders():  # a worker has another working folder
        inherited["PYTHONPATH"] = os.pathsep.join(folders)
    return {**inherited, PARENT: str(os.getpid()), **added}
