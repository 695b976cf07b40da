"""What is left of the memory limit of a container, from recorded files."""

from pathlib import Path

from bench.system.free_memory import free_bytes, left_in_groups


def test_the_limit_of_a_container_counts_without_the_cache_that_is_given_back(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("4000\n")
    (group / "memory.current").write_text("3000\n")
    (group / "memory.stat").write_text("anon 1500\ninactive_file 500\n")

    assert list(left_in_groups(tmp_path)) == [1500]


def test_a_group_without_a_limit_limits_nothing(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("3000\n")

    assert list(left_in_groups(tmp_path)) == []


def test_the_older_files_of_a_limit_are_read(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup/memory"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("1000\n")
    (group / "memory.usage_in_bytes").write_text("1200\n")

    assert list(left_in_groups(tmp_path)) == [0]


def test_some_memory_is_free_here() -> None:
    assert free_bytes() > 0
