"""Parses JSON more strictly than Python does: no key occurs twice, and nothing is nested without end."""

import json
from functools import partial
from typing import Any

from user_files.contents import ContentError

# More than any document has in one object, such as one with a key for each of ImageNet's 21,841 classes.
_MOST_KEYS = 100_000
_SHOWN = 60
# How Python begins its message on a number of more than 4300 digits.
_LONG_NUMBER = "Exceeds the limit"


def json_of(content: bytes | str, most_keys: int = _MOST_KEYS) -> Any:
    """Return the content of a JSON document; raises ContentError, also for one that is nested too deeply.

    `most_keys`: how many keys an object may have. Each unknown one costs time and memory when it is refused.
    """
    try:
        return json.loads(content, object_pairs_hook=partial(_object, most_keys))
    except ContentError:
        raise
    except RecursionError:
        raise _fault("it is nested too deeply") from None
    except ValueError as error:
        is_long = str(error).startswith(_LONG_NUMBER)
        raise _fault("it has a number of thousands of digits" if is_long else str(error)) from None


def _fault(why: str) -> ContentError:
    return ContentError(f"is not valid JSON ({why})")


def _object(most_keys: int, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > most_keys:
        raise _fault(f"an object has {len(pairs)} keys, more than {most_keys}")
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _fault(f"the key {_repeated(pairs)[:_SHOWN]!r} occurs twice; remove one")
    return mapping


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError(pairs)
