"""Damaged versions of a file, the same ones each time: cut off, with other bytes, or with other values."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

_CUTS = 8
_FLIPS = 12
_VALUES = 30
_BIG = 10**400
_STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, _BIG, -_BIG, 2**63, 1e308, -1e308, 5e-324, -0.0, 0.5, "", "\x1b[2J\n", "x" * 5000, "5",
    [], {}, [[]], [None], {"": None}, ["a"] * 2000, {str(key): key for key in range(2000)},
)  # fmt: skip


def of_bytes(content: bytes, seed: int, rounds: int = 1) -> Iterator[bytes]:
    """Damage that any file can have."""
    chance = random.Random(seed)
    yield from (b"", b"\0" * len(content), content + b"\0", content[1:], b"\xff\xfe" + content, content * 2)
    for cut in range(_CUTS * rounds):
        yield content[: len(content) * cut // (_CUTS * rounds)]
    for _ in range(_FLIPS * rounds):
        changed = bytearray(content)
        for _ in range(chance.choice((1, 3, 30))):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        yield bytes(changed)
    for _ in range(2 * rounds):
        start = chance.randrange(len(content))
        yield content[:start] + b"\0" * 64 + content[start + 64 :]


def of_json(content: bytes, seed: int, rounds: int = 1) -> Iterator[bytes]:
    """Damage of a JSON document: that of any file, other values in it, other encodings and no end."""
    yield from of_bytes(content, seed, rounds)
    text, chance = content.decode(), random.Random(seed)
    yield from (text.encode(encoding) for encoding in ("utf-16", "utf-32", "utf-8-sig"))
    yield text.encode().replace(b"a", b"\xe4")
    document = json.loads(text)
    name = json.dumps(next(iter(document)))
    yield f"{{{name}: 1, {text.lstrip()[1:]}".encode()
    for deep in ("[" * 100_000, '{"a":' * 100_000, f"{'[' * 900}{']' * 900}", "9" * 5000, "NaN", "1e999"):
        yield f"{{{name}: {deep}}}".encode()
        yield text.rstrip()[:-1].encode() + f', "more": {deep}}}'.encode()
    for _ in range(_VALUES * rounds):
        yield json.dumps(_with_another_value(document, chance)).encode()


def _with_another_value(document: Any, chance: random.Random) -> Any:
    """Return a copy of a document with a strange value at a random place, or without what was there."""
    whole = copy.deepcopy(document)
    inner = whole
    while True:
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        key = chance.choice(keys)
        if not isinstance(inner[key], dict | list) or not inner[key] or chance.random() < 0.15:
            break
        inner = inner[key]
    if chance.random() < 0.1:
        del inner[key]
    else:
        inner[key] = chance.choice(_STRANGE)
    return whole
