"""Control groups: what is found under recorded files of both versions, and that a real one kills."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.system.memory_limit import JOIN, Cgroup, MemoryGroup, find_cgroup

_ALLOCATE = "held = bytearray(200 << 20); held[::4096] = b'x' * len(held[::4096]); print('lived')"


def recorded(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def test_without_a_memory_controller_there_is_no_control(tmp_path: Path) -> None:
    assert find_cgroup(recorded(tmp_path, {"proc/self/cgroup": "0::/user.slice\n"})) is None


def test_version_1_is_tried_from_the_own_group_upwards(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/mine\n3:cpu:/\n0::/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "1",
        "sys/fs/cgroup/memory/mine/memory.limit_in_bytes": "1",
    }

    control = found(recorded(tmp_path, files))

    assert control.parent == tmp_path / "sys/fs/cgroup/memory/mine"
    assert control.home == control.parent
    assert control.limit == "memory.limit_in_bytes"


def test_version_2_needs_the_controller_to_be_handed_down(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/user.slice/mine\n",
        "sys/fs/cgroup/cgroup.subtree_control": "cpu memory\n",
        "sys/fs/cgroup/user.slice/cgroup.subtree_control": "memory pids\n",
        "sys/fs/cgroup/user.slice/mine/cgroup.subtree_control": "\n",
    }

    control = found(recorded(tmp_path, files))

    assert control.parent == tmp_path / "sys/fs/cgroup/user.slice"
    assert control.home == tmp_path / "sys/fs/cgroup/user.slice/mine"
    assert control.limit == "memory.max"


def found(root: Path) -> Cgroup:
    """Return the control; among recorded files a group is a plain folder, which goes with what is in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.system.memory_limit._remove", shutil.rmtree)
        control = find_cgroup(root)
    assert control is not None
    return control


@pytest.mark.skipif(find_cgroup() is None, reason="this user cannot make a control group here")
def test_what_allocates_more_than_its_group_may_have_is_killed() -> None:
    control = find_cgroup()
    assert control is not None

    with control.group(64 << 20) as group:
        command = [*JOIN, str(group.processes), sys.executable, "-c", _ALLOCATE]
        done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == -9
    assert "lived" not in done.stdout
    assert not group.folder.exists()


@pytest.mark.skipif(find_cgroup() is None, reason="this user cannot make a control group here")
def test_a_process_that_is_released_allocates_what_it_likes() -> None:
    control = find_cgroup()
    assert control is not None

    with control.group(64 << 20) as group:
        wait = f"input(); {_ALLOCATE}"
        command = [*JOIN, str(group.processes), sys.executable, "-c", wait]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            while str(process.pid) not in group.processes.read_text().split():
                assert process.poll() is None
            group.release(process.pid)
            said, _ = process.communicate("go\n")

    assert (process.returncode, said) == (0, "lived\n")


def test_a_group_that_nobody_may_join_is_no_control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.system.memory_limit.JOIN", ("/bin/false",))
    monkeypatch.setattr("bench.system.memory_limit._remove", shutil.rmtree)
    files = {
        "proc/self/cgroup": "4:memory:/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "1",
    }

    assert find_cgroup(recorded(tmp_path, files)) is None


@pytest.mark.parametrize(("none", "limit"), [("-1", "memory.limit_in_bytes"), ("max", "memory.max")])
def test_a_group_that_nobody_may_leave_loses_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, none: str, limit: str
) -> None:
    monkeypatch.setattr("bench.system.memory_limit._remove", shutil.rmtree)
    control = Cgroup(tmp_path, tmp_path / "gone", limit, "with swap", swap_counts=False, none=none)

    with control.group(64 << 20) as group:
        group.release(4711)

        assert (group.folder / limit).read_text() == none
        assert (group.folder / "with swap").read_text() == none


def test_a_group_that_keeps_its_limit_and_its_process_says_so(tmp_path: Path) -> None:
    control = Cgroup(tmp_path, tmp_path / "gone", "memory.max", "swap", swap_counts=False, none="max")
    group = MemoryGroup(tmp_path / "removed", control)

    with pytest.raises(FileNotFoundError):
        group.release(4711)


def test_groups_of_killed_processes_are_deleted_and_a_used_one_stays(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1"}
    parent = recorded(tmp_path, files) / "sys/fs/cgroup/memory"
    for name in ("edgefit-4000000-0123abcd", "edgefit-0123456789ab", "mine"):
        (parent / name).mkdir()

    with found(tmp_path).group(1 << 30) as group:
        found(tmp_path)
        assert group.folder.exists()

        left = {path.name for path in parent.iterdir() if path.is_dir()}
        assert left == {group.folder.name, "edgefit-0123456789ab", "mine"}
        shutil.rmtree(group.folder)
