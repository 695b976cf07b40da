"""Free memory, on a machine and in a container."""

from pathlib import Path

from user_files.free_memory import available_bytes


def container(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / name.replace("_", ".", 1)).write_text(content + "\n")
    return folder


def test_a_container_has_what_is_left_of_its_limit_and_what_the_kernel_gives_up(tmp_path: Path) -> None:
    limited = container(
        tmp_path, memory_max="1000", memory_current="900", memory_stat="anon 500\ninactive_file 300"
    )

    assert available_bytes(limited) == 400


def test_without_a_limit_the_machine_decides(tmp_path: Path) -> None:
    unlimited = container(tmp_path, memory_max="max", memory_current="900", memory_stat="anon 1")

    assert available_bytes(unlimited) > 10**6
    assert available_bytes(tmp_path / "nowhere") > 10**6
