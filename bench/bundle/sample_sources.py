"""Reads samples of data: .npy and .npz files, and a function in a Python file, which is the user's code."""

import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

from bench.bundle.samples import Sample
from bench.bundle.signature import Array
from bench.bundle.user_code import user_code
from bench.errors import InputError
from user_files.arrays import ArraysError, cannot_be_read, is_npy, open_arrays, read_npy
from user_files.faults import why_unreadable

TENSOR_SUFFIXES = (".npy", ".npz")
USUAL_FUNCTION = "load_data"
_NAMELESS = "arr_0"  # numpy's name of an array that np.savez was given without one
_PAIR = 2


def tensor_files(folder: Path) -> list[Path]:
    """Return the .npy and .npz files of a folder, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in TENSOR_SUFFIXES)


def samples_in_files(files: Iterable[Path]) -> Iterator[Sample]:
    """Yield a sample for each file. Raises InputError for a file that holds no arrays of numbers."""
    for path in files:
        yield Sample(str(path), _arrays_in(path))


def _arrays_in(path: Path) -> dict[str, Array]:
    try:
        if is_npy(path):
            return {"": read_npy(path)}
        with open_arrays(path) as content:
            return {"" if name == _NAMELESS else name: content.read(name) for name in content.names}
    except (OSError, ArraysError) as error:
        remedy = "write arrays with numpy.save or numpy.savez, no objects"
        raise InputError(why_unreadable(path) or f"{path}: {cannot_be_read(error, remedy)}") from None


def samples_of_function(path: Path, function: str) -> Iterator[Sample]:
    """Yield what a function of a Python file yields or returns: dictionaries of arrays, arrays, or pairs.

    Of a pair, the second part is a label, which is handed on as it is. What the code prints goes to stderr.
    Raises InputError for whatever the user's code raises.
    """
    where = f"{path}:{function}"
    for index, item in enumerate(_items(where, _function_in(path, function))):
        is_labelled = isinstance(item, tuple) and len(item) == _PAIR
        values = item[0] if isinstance(item, tuple) and is_labelled else item
        label = item[1] if isinstance(item, tuple) and is_labelled else None
        name = f"item {index} of {where}"
        yield Sample(name, _arrays_of(name, values), is_labelled, label)


def _items(where: str, function: Callable[[], object]) -> Iterator[object]:
    with user_code(where):
        given = function()
        if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping | np.ndarray):
            given = [given]
        iterator = iter(given)
    while True:
        with user_code(where):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item


def _function_in(path: Path, name: str) -> Callable[[], object]:
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; give a Python file and its function: FILE.py:{USUAL_FUNCTION}"
        )
    function: Callable[[], object] | None = getattr(_module(path), name, None)
    if not callable(function):
        raise InputError(f"{path}: has no function '{name}'; define it, or name another: {path}:FUNCTION")
    return function


def _module(path: Path) -> ModuleType:
    name = f"edgefit_data_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    with user_code(str(path)):
        sys.modules[name] = module  # where its dataclasses look their types up
        sys.path.insert(0, folder)  # a file that is run finds its neighbours
        try:
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(folder)
    return module


def _arrays_of(where: str, item: object) -> dict[str, Array]:
    """Return the arrays of an item: a dictionary of them, or one array."""
    if isinstance(item, Mapping):
        return {str(name): _array(f"{where}, '{name}'", value) for name, value in item.items()}
    return {"": _array(where, item)}


def _array(where: str, value: object) -> Array:
    with user_code(where):
        array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise InputError(
            f"{where}: is {type(value).__name__}, not an array of numbers; yield a dictionary of numpy "
            "arrays by input name, or one array"
        )
    return array
