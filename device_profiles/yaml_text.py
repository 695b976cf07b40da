"""Reads the YAML of a profile strictly: plain mappings, lists, text, numbers, true, false and null.

YAML 1.1 reads `010`, `1:30`, `yes` and `2024-05-01` in surprising ways. Here each is text or an error.
Duplicate keys, tags and aliases are errors with their line.
"""

import re
from collections.abc import Hashable
from typing import Any, ClassVar

import yaml

_TAG = "tag:yaml.org,2002:"
_LONGEST_NUMBER = 40
_PATTERNS = {
    "null": re.compile(r"^(?:~|null|)$"),
    "bool": re.compile(r"^(?:true|false)$"),
    "int": re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"),
    "float": re.compile(
        r"^(?:[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)|[-+]?\.inf|\.nan)$"
    ),
}


class _Loader(yaml.SafeLoader):
    """The scanner and parser of yaml, with the types above."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]
    yaml_constructors: ClassVar[dict[str | None, Any]] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases, because a few lines with aliases can expand to billions of values."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "an alias is not allowed; write the value out", mark
            )
        return super().compose_node(parent, index)


def _scalar(_loader: _Loader, node: yaml.ScalarNode) -> Any:
    kind = node.tag.removeprefix(_TAG)
    if not _PATTERNS[kind].match(node.value) or len(node.value) > _LONGEST_NUMBER:
        raise _fault(f"'{node.value[:_LONGEST_NUMBER]}' is not a valid {kind}", node)
    if kind == "null":
        return None
    if kind == "bool":
        return node.value == "true"
    return (
        int(node.value) if kind == "int" else float(node.value.replace(".inf", "inf").replace(".nan", "nan"))
    )


def _text(_loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(node.value)


def _list(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    return [loader.construct_object(item, deep=True) for item in node.value]


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    mapping: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _fault("a key must be text", key_node)
        if key_node.value in mapping:
            raise _fault(f"the key '{key_node.value}' occurs twice; remove one", key_node)
        mapping[key_node.value] = loader.construct_object(value_node, deep=True)
    return mapping


def _undefined(_loader: _Loader, node: yaml.Node) -> Any:
    raise _fault(f"the tag '{node.tag}' is not allowed in a profile; remove it", node)


def _fault(problem: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _kind, _pattern in _PATTERNS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", _pattern, None)
    _Loader.add_constructor(f"{_TAG}{_kind}", _scalar)
_Loader.add_constructor(f"{_TAG}str", _text)
_Loader.add_constructor(f"{_TAG}seq", _list)
_Loader.add_constructor(f"{_TAG}map", _mapping)
_Loader.add_constructor(None, _undefined)


def read_yaml(text: str) -> Any:
    """Return the content of a YAML text; raises yaml.YAMLError with the line of the fault."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - this loader constructs less than the safe one


def to_yaml(content: Any) -> str:
    """Return mappings, lists, text and numbers as YAML."""
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110))
