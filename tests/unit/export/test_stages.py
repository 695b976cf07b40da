"""How the stages of a worker are reported and drawn."""

import time

import pytest
from making.watching import Watching

from export.messages import Advanced, Entered, ProgressMessage
from export.stages import StageBar, steps_of, within


def test_each_stage_is_a_task_whose_steps_are_known_with_the_first_one() -> None:
    progress = Watching()
    bar = StageBar(progress, "onnx-int8 (3 of 9)")
    bar(Entered(stage="load"))
    bar(Entered(stage="verify"))
    bar(Advanced(done=2, total=8))
    bar(Advanced(done=5, total=8))

    named = "onnx-int8 (3 of 9)"
    assert progress.tasks == [(f"{named}, load", 1), (f"{named}, verify", 1), (f"{named}, verify", 8)]
    assert progress.steps == 5


def test_a_task_that_counts_from_the_start_again_begins_again() -> None:
    progress = Watching()
    bar = StageBar(progress, "openvino-int8 (9 of 9)")
    bar(Entered(stage="calibrate"))
    for done in (3, 8, 1):
        bar(Advanced(done=done, total=8))

    assert [total for _, total in progress.tasks] == [1, 8, 8]
    assert progress.steps == 1


def test_a_task_with_another_number_of_steps_begins_again() -> None:
    progress = Watching()
    bar = StageBar(progress, "Analysing the sensitivity to int8")
    bar(Entered(stage="simulate int8"))
    for done, total in ((1, 3), (1, 133), (2, 133)):
        bar(Advanced(done=done, total=total))

    assert [total for _, total in progress.tasks] == [1, 3, 133]
    assert progress.steps == 2


def test_work_of_one_stage_has_no_name_of_it() -> None:
    progress = Watching()
    StageBar(progress, "Running the source", has_stages=False)(Entered(stage="run the source"))

    assert progress.tasks == [("Running the source", 1)]


def test_the_stages_of_a_recipe_have_its_name_before_theirs() -> None:
    messages: list[ProgressMessage] = []
    report = within(messages.append, "recipe 1 of at most 3")
    report(Entered(stage="calibrate"))
    report(Advanced(done=1, total=2))

    assert messages == [Entered(stage="recipe 1 of at most 3, calibrate"), Advanced(done=1, total=2)]


def test_fast_steps_are_not_all_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    messages: list[ProgressMessage] = []
    note = steps_of(messages.append)
    for done in range(1, 101):
        now += 0.01
        note(done, 100)

    assert len(messages) == 2
    assert messages[0] == Advanced(done=50, total=100)
