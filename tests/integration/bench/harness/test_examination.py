"""Real workers that examine a case: what is kept of an artifact's answers, and when it is asked again."""

from pathlib import Path

from making.faulty_plan import Silent, case, faulty_runtime, plan
from making.tiny_report import HOST

from bench.filesystem.cache_folder import cache_folder
from bench.harness.examination import Examiner
from bench.harness.journal_entries import Examined
from bench.harness.plan import Plan


def examined(planned: Plan, progress: Silent | None = None) -> Examined:
    """Examine the first case of a plan."""
    with faulty_runtime():
        found = Examiner(planned, HOST, "now", progress or Silent()).examine(planned.cases[0])
    assert isinstance(found, Examined)
    return found


def test_an_artifact_is_judged_once_and_its_answers_are_kept(tmp_path: Path) -> None:
    planned = plan(tmp_path, [case(tmp_path, "a")])
    first = examined(planned)

    second = examined(planned)
    changed = examined(plan(tmp_path, [case(tmp_path, "a", "nothing otherwise")]))

    assert (first.predictions_cached_at, second.predictions_cached_at, changed.predictions_cached_at) == (
        None,
        "now",
        None,
    )
    assert second.logits == first.logits
    assert len(list(cache_folder("predictions").iterdir())) == 2


def test_fewer_images_are_taken_from_what_is_kept_and_more_are_asked_for(tmp_path: Path) -> None:
    few = plan(tmp_path, [case(tmp_path, "a")], images=2)
    many = plan(tmp_path, [case(tmp_path, "a")], images=6)

    kept = [examined(planned) for planned in (few, many, few)]

    assert [len(found.logits or ()) for found in kept] == [2, 6, 2]
    assert [found.predictions_cached_at is None for found in kept] == [True, True, False]


def test_cached_predictions_that_are_damaged_are_computed_again_and_replaced(tmp_path: Path) -> None:
    planned, watching = plan(tmp_path, [case(tmp_path, "a")]), Silent()
    whole = examined(planned)
    (file,) = cache_folder("predictions").iterdir()
    kept = file.read_bytes()
    file.write_bytes(b"")  # as a loss of power may leave it

    again = examined(planned, watching)

    assert (again.logits, again.predictions_cached_at) == (whole.logits, None)
    assert watching.sentences == [
        f"{file}: the cached predictions in it are damaged; they are computed again"
    ]
    assert file.read_bytes() == kept
