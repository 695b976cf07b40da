"""How many formats are made at once, and how what they do is shown."""

import pytest
from making.watching import Watching

from export.making import lines_at_once
from export.messages import Advanced, Entered
from export.stages import LinesOfWork

GB = 10**9


@pytest.mark.parametrize(
    ("formats", "threads", "each_bytes", "free", "expected"),
    [
        (3, 2, GB, 16 * GB, 3),  # one more than there are threads
        (5, 2, GB, 16 * GB, 3),
        (3, 16, GB, 64 * GB, 3),
        (3, 1, GB, 16 * GB, 1),  # the user asked for one thread
        (3, 2, 5 * GB, 12 * GB, 2),  # as many as memory has room for
        (3, 2, 5 * GB, GB, 1),  # one is always made
        (3, 2, 0, GB, 3),  # the kernel does not say how much memory a process has had
    ],
)
def test_as_many_formats_are_made_at_once_as_threads_and_memory_allow(
    formats: int, threads: int, each_bytes: int, free: int, expected: int
) -> None:
    assert lines_at_once(formats, threads, each_bytes, free) == expected


class Noting(Watching):
    """Remembers what is shown beside the bar."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def advance(self, steps: int = 1, note: str = "") -> None:
        super().advance(steps, note)
        self.notes.append(note)


def test_the_bar_counts_finished_variants_and_its_note_says_what_each_process_does() -> None:
    progress = Noting()
    shown = LinesOfWork(progress, "Exporting", 9)
    shown.note("onnx-int8", Entered(stage="recipe 1 of at most 5, calibrate"))
    shown.note("openvino-fp32", Entered(stage="verify"))
    shown.note("onnx-int8", Advanced(done=8, total=256))
    shown.finish("openvino-fp32", "openvino-fp32 3.1 s")

    assert progress.tasks == [("Exporting", 9)]
    assert progress.steps == 1
    assert progress.notes == [
        "onnx-int8, recipe 1 of at most 5, calibrate",
        "onnx-int8, recipe 1 of at most 5, calibrate; openvino-fp32, verify",
        "onnx-int8, recipe 1 of at most 5, calibrate 8/256; openvino-fp32, verify",
        "openvino-fp32 3.1 s; onnx-int8, recipe 1 of at most 5, calibrate 8/256",
    ]
