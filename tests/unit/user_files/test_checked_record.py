"""A record refuses a sequence at its first wrong item, whatever the sequence lies in."""

import json
import tracemalloc
from typing import Literal

import pytest
from pydantic import ConfigDict, ValidationError

from user_files.checked_record import LARGEST_NUMBER, CheckedRecord, Count, PositiveCount
from user_files.contents import ContentError


class Inner(CheckedRecord):
    model_config = ConfigDict(strict=True)
    kind: Literal["inner"] = "inner"
    numbers: tuple[int, ...] = ()


class Outer(CheckedRecord):
    model_config = ConfigDict(strict=True)
    inner: tuple[Inner, ...] | None = None
    pairs: tuple[tuple[int, ...], ...] = ()
    named: dict[str, tuple[int, ...]] | None = None
    count: Count = 0
    positive: PositiveCount = 1
    whole: int = 0
    either: tuple[int | str, ...] | None = None


@pytest.mark.parametrize(
    "document",
    [
        {"pairs": [["a"] * 1000] * 1000},
        {"named": {"a": ["a"] * 1000}},
        {"inner": [{"numbers": ["a"] * 1000}] * 1000},
        {"inner": [1] * 1000},
    ],
)
def test_a_sequence_of_wrong_values_is_one_error(document: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json(json.dumps(document))

    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("count", -1),
        ("count", LARGEST_NUMBER + 1),
        ("positive", 0),
        ("positive", 10**400),
        ("whole", -(10**30)),
        ("whole", 10**30),
        ("pairs", [[1, 10**30]]),
        ("named", {"a": [10**30]}),
        ("inner", [{"numbers": [-(10**30)]}]),
        ("either", ["a", 10**30]),
    ],
)
def test_a_number_out_of_bounds_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Outer.model_validate_json(json.dumps({key: value}))


class Demanding(CheckedRecord):
    model_config = ConfigDict(strict=True, extra="forbid")
    a: int
    b: int
    c: int
    d: int
    numbers: tuple[int, ...]


def test_each_missing_key_of_a_large_document_costs_no_copy_of_it() -> None:
    content = b'{"numbers": [' + b"[]," * 100_000 + b"[]]}"
    document = json.loads(content)
    tracemalloc.start()
    with pytest.raises(ValidationError) as caught:
        Demanding.of_json(content, document)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert caught.value.error_count() == 5
    assert peak < len(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"count": 1, "count": 2}', "'count' occurs twice"),
        (b'{"inner": [1]}', "Input should be an object"),
        (b'{"pairs": 1}', "Input should be a valid array"),
        (b'{"count": "1"}', "Input should be a valid integer"),
        (b'{"count": 1', "is not valid JSON"),
    ],
)
def test_a_wrong_document_is_refused_in_words_of_json(content: bytes, why: str) -> None:
    with pytest.raises((ContentError, ValidationError), match=why):
        Outer.of_json(content)


def test_a_list_stands_for_a_tuple_in_a_document() -> None:
    assert Outer.of_json(b'{"pairs": [[1, 2]]}').pairs == ((1, 2),)
