"""Progress on a terminal is never cut, however narrow it is and however long its words are."""

import io

import pytest
from rich.console import Console

from edgefit.progress import Bar, Drawing

TASKS = (
    "Exporting",
    "latency, process 12, not decided yet",
    "confirmation run of suspected memory, in fresh processes of each side",
)
NOTES = (
    "",
    "torchscript-int8, recipe 3 of at most 12",
    "2.40 GHz, 71.5 °C of at most 95 °C, throttled by the firmware",
)


def drawn(width: int, task: str, note: str, board: str = "") -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    drawing = Drawing(console=console, auto_refresh=False)
    bar = Bar(drawing, board)
    bar.begin(task, 118)
    bar.advance(59, note)
    with console.capture() as captured:
        console.print(*drawing.get_renderables())
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("board", ["", "raspberry-pi-5"])
@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("note", NOTES)
def test_no_word_is_cut(width: int, task: str, note: str, board: str) -> None:
    lines = drawn(width, task, note, board)
    text = " ".join(" ".join(lines).split())

    assert max(map(len, lines)) <= width
    assert "…" not in text
    assert "59/118" in text
    for word in (*board.split(), *task.split(), *note.split()):
        assert word in text


def test_a_task_that_fits_stands_in_one_line() -> None:
    (line,) = drawn(80, "Exporting", NOTES[1])

    assert line.startswith("Exporting ")
    assert line.endswith(NOTES[1])
