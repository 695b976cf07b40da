import errno
import os
from pathlib import Path

import pytest
from making.films import dataset_of_films
from making.full_disk import no_file_beyond

from models import disk_space, finetune
from models.architectures import find_architecture
from models.errors import InputError


def cannot_reserve(_descriptor: int, _start: int, _size: int) -> None:
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def no_space(_descriptor: int, _start: int, _size: int) -> None:
    raise OSError(errno.EDQUOT, "Disk quota exceeded")


def test_where_a_file_system_reserves_no_space_the_file_is_written_before_it_is_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", cannot_reserve)
    with (tmp_path / "file").open("w+b") as file:
        disk_space.reserve(file.fileno(), (1 << 20) + 5)

        status = os.fstat(file.fileno())
    assert status.st_size == (1 << 20) + 5
    assert status.st_blocks * 512 >= status.st_size


def test_a_quota_that_is_too_small_is_said_with_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", no_space)
    said = r"^here: the run needs 1,234\.5 MB of disk there, .*\(Disk quota exceeded\); free some space"

    with pytest.raises(InputError, match=said), disk_space.taking(1_234_500_000, "the run", Path("here")):
        disk_space.reserve_files(tmp_path, {"large": 1_234_500_000})


@pytest.mark.parametrize("reserves", [True, False])
def test_a_limit_on_the_size_of_files_takes_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reserves: bool
) -> None:
    if not reserves:
        monkeypatch.setattr(os, "posix_fallocate", cannot_reserve)

    with no_file_beyond(4096), pytest.raises(OSError, match="File too large"):
        disk_space.reserve_files(tmp_path, {"small": 4096, "large": 4097})


def test_the_space_of_a_run_folder_is_taken_before_training(tmp_path: Path) -> None:
    network = find_architecture("mobilenet_v2").build(2)
    dataset = dataset_of_films(20, 20)

    said = r"the run folder needs 9\.\d MB of disk there, .*; raise the limit on the size of a file"
    with no_file_beyond(4 << 20), pytest.raises(InputError, match=said):
        finetune._take_space(tmp_path, network, dataset)
    finetune._take_space(tmp_path, network, dataset)

    taken = sum(path.stat().st_blocks * 512 for path in tmp_path.iterdir())
    assert taken >= sum(value.nbytes for value in network.state_dict().values()) + dataset.test.images.nbytes
