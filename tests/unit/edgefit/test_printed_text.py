"""Text of a file or a board cannot talk to the terminal."""

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest
from rich.table import Table

from edgefit.progress import PlainLines
from edgefit.terminal import Output
from user_files.printable import printable, printable_lines

# Clear the screen, set the window's title, the same in one character (C1), delete, write right to left.
HOSTILE = "a\x1b[2Jb\x1b]0;title\x07c\x9b2Jd\x7fe\u202ef"
HARMLESS = r"a\x1b[2Jb\x1b]0;title\x07c\x9b2Jd\x7fe\u202ef"


def test_what_cannot_be_printed_is_written_as_python_writes_it() -> None:
    assert printable(HOSTILE) == printable_lines(HOSTILE) == HARMLESS
    assert printable("Größe 4 µs\n") == r"Größe 4 µs\n"
    assert printable_lines("one\n\ttwo\r") == "one\n\ttwo\\r"


def test_whatever_is_shown_is_printable() -> None:
    table = Table(HOSTILE)
    table.add_row(HOSTILE)
    out, errors = io.StringIO(), io.StringIO()

    with redirect_stdout(out), redirect_stderr(errors):
        output = Output(as_json=False)
        output.say(HOSTILE)
        output.next_step(HOSTILE)
        output.show(table)
        PlainLines("board").say(HOSTILE)

    shown = out.getvalue() + errors.getvalue()
    assert shown.count(r"\x1b[2Jb") == 5
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", ['{"a": "\x9b2J\x7f"}', '{"a": "\\u009b2J\\u007f"}'])
def test_a_json_document_says_the_same_without_control_characters(text: str) -> None:
    out = io.StringIO()

    with redirect_stdout(out):
        Output(as_json=True).document(text)

    assert out.getvalue() == '{"a": "\\u009b2J\\u007f"}\n'


def test_the_progress_of_a_terminal_keeps_its_own_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()

    with redirect_stdout(out):
        Output(as_json=False).show("[bold]bold[/bold] \x1b[2J")

    assert out.getvalue() == "\x1b[1mbold\x1b[0m \\x1b[2J\n"
