"""Writes the line of Python that saves the tensors of a file which edgefit does not load. It runs nothing."""

import json
import shlex
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

from models.checkpoints.tensor_tables import TensorTable, rank_of, tables_in

SAVED = "weights.pth"
_ANY = (
    'c = c if hasattr(c, "state_dict") else c.get("state_dict", c.get("model", c)); '
    'c = c.state_dict() if hasattr(c, "state_dict") else c; '
    'c = {k: v for k, v in c.items() if hasattr(v, "shape")}'
)


class Loading(Enum):
    """What loads a file of tensors in Python."""

    SAFETENSORS = "safetensors.torch.load_file({})"
    TENSORS = 'torch.load({}, map_location="cpu")'
    ANYTHING = 'torch.load({}, map_location="cpu", weights_only=False)'


class Inert:
    """What takes the place of an object whose code is not run: it takes any arguments, and keeps nothing."""

    def __init__(self, *_: object) -> None:
        return

    def __setstate__(self, state: object) -> None:
        """Keep nothing."""


def line_for_content(path: Path, content: object) -> str:
    """Return the line for a file of torch.save; `content`: what it holds, with Inert for objects, or None."""
    loaded = f"c = {Loading.ANYTHING.value.format(_for_torch(path))}"
    return _line("import torch", loaded, _tensors_in(content))


def line_for_part(files: Sequence[Path], loading: Loading, keys: Sequence[str | int], prefix: str) -> str:
    """Return the line that saves one network of a checkpoint that holds several."""
    path = _text(files[0]) if loading is Loading.SAFETENSORS else _for_torch(files[0])
    loaded = f"c = {loading.value.format(path)}"
    if len(files) > 1:
        names = ", ".join(_text(file) for file in files)
        loaded = f"c = {{k: v for f in [{names}] for k, v in {loading.value.format('f')}.items()}}"
    chosen = f"{{k: v for k, v in c{_below(keys)}.items() if k.startswith({_text(prefix)})}}"
    imports = "import torch, safetensors.torch" if loading is Loading.SAFETENSORS else "import torch"
    return _line(imports, loaded, f"c = {chosen}" if prefix else f"c = c{_below(keys)}")


def line_for_pickle(path: Path) -> str:
    """Return the line for a plain pickle of tensors or arrays by name."""
    values = "{k: torch.as_tensor(v) for k, v in c.items()}"
    return _line("import pickle, torch", f'c = pickle.load(open({_text(path)}, "rb"))', f"c = {values}")


def line_for_npz(path: Path) -> str:
    """Return the line for NumPy's arrays by name."""
    values = "{k: torch.from_numpy(v) for k, v in c.items()}"
    return _line("import numpy, torch", f"c = numpy.load({_text(path)})", f"c = {values}")


def line_for_torchscript(path: Path) -> str:
    """Return the line for a TorchScript program."""
    return _line(
        "import torch",
        f"c = torch.jit.load({_text(path)}, map_location={_text('cpu')})",
        "c = c.state_dict()",
    )


def line_for_program(path: Path) -> str:
    """Return the line for a program of torch.export."""
    return _line("import torch", f"c = torch.export.load({_text(path)})", "c = c.state_dict")


def _line(imports: str, loading: str, choosing: str) -> str:
    return f"python -c {shlex.quote(f'{imports}; {loading}; {choosing}; torch.save(c, {_text(SAVED)})')}"


def _text(value: Path | str) -> str:
    """Return a text as Python writes it, in double quotes: single ones are the shell's."""
    return json.dumps(str(value))


def _for_torch(path: Path) -> str:
    """Return what torch.load takes: of a path, it believes the suffix .safetensors."""
    return f'open({_text(path)}, "rb")' if path.suffix == ".safetensors" else _text(path)


def _below(keys: Sequence[str | int]) -> str:
    return "".join(f"[{key if isinstance(key, int) else _text(key)}]" for key in keys)


def _tensors_in(content: object) -> str:
    """Return the statement that makes the tensors by name of what was loaded."""
    if isinstance(content, Inert):
        return "c = c.state_dict()"
    if (table := _preferred(tables_in(content))) is not None:
        if table.keys:
            return f"c = c{_below(table.keys)}"
        return "c = {k: v for k, v in c.items() if isinstance(v, torch.Tensor)}"
    if (key := _network_in(content)) is not None:
        return f"c = c[{_text(key)}].float().state_dict()"
    return _ANY


def _preferred(tables: tuple[TensorTable, ...]) -> TensorTable | None:
    """Return the best of the largest tables; None if none has more than a few tensors."""
    most = max((len(table.tensors) for table in tables), default=0)
    large = [table for table in tables if 2 * len(table.tensors) > most]
    return min(large, key=lambda table: rank_of(table.name), default=None)


def _network_in(content: object) -> str | None:
    if not isinstance(content, Mapping):
        return None
    usual = [key for key in ("ema", "model", "net", "network") if isinstance(content.get(key), Inert)]
    others = [key for key, value in content.items() if isinstance(value, Inert) and isinstance(key, str)]
    return next(iter([*usual, *others]), None)
