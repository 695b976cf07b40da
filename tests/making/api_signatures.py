"""The signatures of the Python API as docs/api.md writes them."""

import inspect
import re

import edgefit

# What stands before a name in an annotation: `os.`, `collections.abc.`, `edgefit.results.`.
_MODULES = re.compile(r"\b(?:\w+\.)+(?=[A-Z])")


def functions() -> list[str]:
    """The names of the functions."""
    return [name for name in edgefit.__all__ if inspect.isfunction(getattr(edgefit, name))]


def written_signature(name: str) -> str:
    """A function's signature, a line for each parameter: what the page has."""
    signature = inspect.signature(getattr(edgefit, name))
    lines, is_keyword_only = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not is_keyword_only:
            lines.append("*")
            is_keyword_only = True
        lines.append(str(parameter).replace("'", '"'))
    result = inspect.formatannotation(signature.return_annotation).strip("'")
    body = "".join(f"    {_MODULES.sub('', line)},\n" for line in lines)
    return f"edgefit.{name}(\n{body}) -> {_MODULES.sub('', result)}"
