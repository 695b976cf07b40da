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


class Whole(CheckedRecord):
    model_config = ConfigDict(strict=True, extra="forbid")
    items: tuple[Inner, ...]
    first: int
    second: int
    third: int


def test_a_fault_holds_no_copy_of_the_document() -> None:
    document = {"items": [{"kind": {"a": {"b": {}}}}] * 50_000}
    content = json.dumps(document)
    tracemalloc.start()
    try:
        with pytest.raises(ValidationError) as caught:
            Whole.from_parsed(content, document)
        assert caught.value.errors()[-1]["type"] == "missing"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < len(content)  # the value of each missing key is the document itself


@pytest.mark.parametrize("value", ["1", 1.0, True])
def test_a_parsed_document_is_read_as_strictly_as_its_text(value: object) -> None:
    document: dict[str, object] = {"items": [], "first": value, "second": 2, "third": 3}

    with pytest.raises(ValidationError, match="valid integer"):
        Whole.from_parsed(json.dumps(document), document)


def test_a_parsed_document_becomes_the_record() -> None:
    document = {"items": [{"numbers": [1]}], "first": 1, "second": 2, "third": 3}

    assert Whole.from_parsed(json.dumps(document), document).items == (Inner(numbers=(1,)),)


def test_a_document_with_a_key_twice_is_refused_and_a_list_in_it_stands_for_a_tuple() -> None:
    with pytest.raises(ContentError, match="'count' occurs twice"):
        Outer.of_json(b'{"count": 1, "count": 2}')

    assert Outer.of_json(b'{"pairs": [[1, 2]]}').pairs == ((1, 2),)
