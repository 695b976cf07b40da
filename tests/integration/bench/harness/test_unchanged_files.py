"""A file that is changed while it is measured is a failed row."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from making.faulty_plan import Silent, case, faulty_runtime, outcomes_of, plan
from making.tiny_report import HOST

from bench.errors import InputError
from bench.harness.interleaving import InterleavedRunner
from bench.harness.journal import Journal
from bench.harness.plan import Plan
from bench.harness.run_plan import measure
from bench.harness.unchanged_files import FilesOfCase, refuse_changed
from bench.measurements import Completed, Failed, FailureKind, Outcome


def changed_meanwhile(planned: Plan, change: Callable[[], None]) -> dict[str, Outcome]:
    """Run a plan; `change` is called after the examination of its cases."""
    original = InterleavedRunner.time_group

    def change_and_time(runner: InterleavedRunner, *arguments: object) -> None:
        change()
        original(runner, *arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InterleavedRunner, "time_group", change_and_time)
        return outcomes_of(planned)


def refresh(path: Path, content: bytes) -> None:
    """Replace a file's content by content of the same size, with the time of the old one."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rewrite(path: Path) -> None:
    """Write other content of the same size under the same name, with the time of the old one."""
    refresh(path, path.read_bytes().replace(b"first", b"other"))


def replace(path: Path) -> None:
    """Put an equal file in a file's place."""
    new = path.with_suffix(".new")
    new.write_bytes(path.read_bytes())
    new.rename(path)


def test_each_file_that_is_changed_while_it_is_measured_is_a_failed_row_and_no_other_is(
    tmp_path: Path,
) -> None:
    changes: dict[str, Callable[[Path], None]] = {
        "first": rewrite,
        "replaced": replace,
        "deleted": Path.unlink,
    }
    planned = plan(tmp_path, [case(tmp_path, name) for name in (*changes, "unchanged")])

    def change_all() -> None:
        for name, change in changes.items():
            change(tmp_path / f"{name}.txt")

    outcomes = changed_meanwhile(planned, change_all)

    assert isinstance(outcomes["unchanged"], Completed)
    for name in changes:
        outcome = outcomes[name]
        assert isinstance(outcome, Failed)
        if name != "deleted":  # without the file the worker itself fails
            assert outcome.kind is FailureKind.CHANGED
            assert str(tmp_path / f"{name}.txt") in outcome.message


def test_a_pack_that_is_changed_makes_every_row_a_failed_one(tmp_path: Path) -> None:
    planned = plan(tmp_path, [case(tmp_path, "first"), case(tmp_path, "second")])

    outcomes = changed_meanwhile(planned, lambda: replace(tmp_path / "evaluation.npz"))

    for name in ("first", "second"):
        outcome = outcomes[name]
        assert isinstance(outcome, Failed)
        assert outcome.message.startswith(str(tmp_path / "evaluation.npz"))


def test_a_file_that_was_changed_between_its_hash_and_the_run_is_noticed(tmp_path: Path) -> None:
    planned = plan(tmp_path, [case(tmp_path, "first")])
    rewrite(tmp_path / "first.txt")

    with faulty_runtime(), Journal("changed", resume=False) as journal:
        outcomes = measure(planned, HOST, 8 << 30, journal, Silent(), "now")
        journal.finish()

    assert isinstance(outcomes["first"], Failed)
    assert outcomes["first"].kind is FailureKind.CHANGED


def test_a_check_refuses_files_that_were_changed(tmp_path: Path) -> None:
    files = [FilesOfCase.of(case(tmp_path, "first"))]
    refuse_changed(files)

    rewrite(tmp_path / "first.txt")

    with pytest.raises(InputError, match=r"first\.txt was changed"):
        refuse_changed(files)
