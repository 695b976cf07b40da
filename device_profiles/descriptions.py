"""What each field of a record is: the docstring below it, read from the source when somebody asks.

pydantic can read them too, but whenever a class is defined: a twelfth of the time in which a command starts.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def descriptions(record: type[BaseModel]) -> Mapping[str, str]:
    """Return the description of each field that has one, by the field's name."""
    described = {}
    for base in reversed(record.__mro__):
        if base is not BaseModel and issubclass(base, BaseModel):
            described.update(_docstrings(base))
    return {name: described[name] for name in record.model_fields if name in described}


def _docstrings(record: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings below the fields that a class itself defines."""
    origin = record.__pydantic_generic_metadata__["origin"] or record
    body = _class_of(ast.parse(textwrap.dedent(inspect.getsource(origin)))).body
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }


def _class_of(module: ast.Module) -> ast.ClassDef:
    (only,) = module.body
    assert isinstance(only, ast.ClassDef)
    return only
