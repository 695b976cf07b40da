"""A report that a board sent is read within the memory that its size allows, and refused in a sentence."""

import tracemalloc
from pathlib import Path

import pytest
from making.compared_report import Row, made_report

from bench.bundle.manifest import read_bundle
from bench.errors import BoardError
from bench.remote.agent_messages import read_message
from bench.remote.fetched_report import fetched_reports, longest_report

REPORT = made_report({"onnx-fp32": Row(10)})
_MANY = 60_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"schema":2,"runs":[' + "0," * _MANY + "0]}", "the key 'tool' is missing"),
        ('{"schema":2,"runs":[' + "[]," * _MANY + "[]]}", "the key 'tool' is missing"),
        ('{"schema":2,' + ",".join(f'"k{number}":1' for number in range(_MANY)) + "}", "has 60001 keys"),
        (
            '{"schema":2,"runs":[{' + ",".join(f'"k{number}":1' for number in range(_MANY)) + "}]}",
            "has 60000 keys",
        ),
        ("[" * _MANY, "nested too deeply"),
        ('{"schema":NaN}', "schema: input should be 2"),
        ("9" * 10_000, "digits"),
        ("", "Expecting value"),
        ("\ud800", "surrogates not allowed"),
    ],
)
def test_a_text_that_is_no_report_is_refused_at_its_first_fault(
    text: str, reason: str, bundle_folder: Path
) -> None:
    subject = read_bundle(bundle_folder)
    tracemalloc.start()
    try:
        with pytest.raises(
            BoardError, match=f"^board: the board sent a damaged report .*({reason})"
        ) as error:
            fetched_reports("board", text, subject, REPORT.profile, REPORT.host)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(str(error.value)) < 3000
    assert peak < 50 * len(text) + (20 << 20)


def test_a_report_may_be_as_long_as_what_was_asked_for(bundle_folder: Path) -> None:
    subject = read_bundle(bundle_folder)
    usual = longest_report(subject, None)

    assert 32 << 20 < usual < 64 << 20
    assert usual < longest_report(subject, 600.0) < longest_report(subject, 86_400.0)
    assert longest_report(subject, 1e12) == 1 << 30


@pytest.mark.parametrize(
    "line",
    [
        b'{"answer": [' + b"[]," * _MANY + b"[]]}x",
        b"{" + b",".join(b'"k%d":1' % number for number in range(_MANY)) + b"}",
        b"[" + b"0," * _MANY + b"0]",
        b'{"died": [' + b"0," * _MANY + b"0]}",
    ],
    ids=["lists", "keys", "array", "wrong type"],
)
def test_a_long_message_of_another_shape_is_refused_at_its_first_fault(line: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BoardError, match=r"^board: the board sent .* which is not a message"):
            read_message("board", line)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 50 * len(line)
