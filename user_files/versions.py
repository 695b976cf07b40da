"""Documents that a newer edgefit wrote: how to recognise one, and what to do about it."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from user_files.contents import ContentError
from user_files.json_text import json_of

# A larger number is no version that a newer edgefit could have.
_MOST_SCHEMAS = 1_000_000
UPDATE = "update edgefit: pip install --upgrade edgefit"


def document_of(content: bytes) -> Mapping[str, Any]:
    """Return a JSON document's keys and values; none if it is no such document."""
    try:
        document = json_of(content)
    except ContentError:
        return {}
    return document if isinstance(document, dict) else {}


def is_schema_1(document: Mapping[str, Any]) -> bool:
    """Tell whether a document states schema 1; in Python, True and 1.0 are equal to 1."""
    return type(document.get("schema")) is int and document["schema"] == 1


def newer_schema(document: Mapping[str, Any], newest: int) -> str | None:
    """Return, to be said of a document's file, that only a newer edgefit can read it; None of any other."""
    schema, tool = document.get("schema"), document.get("tool")
    if type(schema) is not int or not newest < schema < _MOST_SCHEMAS:
        return None
    version = f"{tool}, " if isinstance(tool, str) else ""
    return (
        f"was written by a newer edgefit ({version}schema {schema}; this one reads up to {newest}); {UPDATE}"
    )


def newer_tool(document: Mapping[str, Any], own: str | None = None) -> str | None:
    """Return what else is to be said of a fault if a newer edgefit wrote the document; None of any other.

    `own`: this version; None: the installed one.
    """
    tool, own = document.get("tool"), own or own_version()
    if not isinstance(tool, str):
        return None
    if own is not None and _release_of(tool) > _release_of(own):
        return f"a newer edgefit wrote it ({tool}; this one is {own}): {UPDATE}"
    return None if own is not None else f"edgefit {tool} wrote it; if this one is older, {UPDATE}"


def _release_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a release; () of what is no version. Boards lack the package `packaging`."""
    match = re.match(r"\d+(\.\d+)*", version)
    return () if match is None else tuple(map(int, match.group().split(".")))


@cache
def own_version() -> str | None:
    """Return the version of edgefit that is installed; None where its packages lie without installation."""
    try:
        return metadata.version("edgefit")
    except metadata.PackageNotFoundError:
        return None
