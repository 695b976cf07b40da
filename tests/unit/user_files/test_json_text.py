"""JSON that two readers could read differently, or that costs without end, is refused in one line."""

import pytest

from user_files.contents import ContentError
from user_files.json_text import json_of


def test_a_document_is_read_as_python_reads_it() -> None:
    assert json_of(b'{"a": [1, 2.5, null, "\xc3\xa4"]}') == {"a": [1, 2.5, None, "ä"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": 1, "b": {"c": 1, "d": 2, "c": 1}}', "the key 'c' occurs twice; remove one"),
        ('{"\\u001b[2J": 1, "\\u001b[2J": 1}', r"the key '\\x1b\[2J' occurs twice"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        (f"[{'9' * 5000}]", "a number of thousands of digits"),
        ("{" + ",".join(f'"{key}":1' for key in range(100_001)) + "}", "an object has 100001 keys"),
        ('{"a": ', "Expecting value"),
        ("", "Expecting value"),
        (b"\xff\xff", "decode"),
    ],
)
def test_a_document_that_is_no_clear_json_is_refused_in_one_line(content: str | bytes, said: str) -> None:
    with pytest.raises(ContentError, match=said) as caught:
        json_of(content)

    assert str(caught.value).startswith("is not valid JSON (")
    assert "\n" not in str(caught.value)
