"""What confines a worker, decided without starting one."""

import json
from pathlib import Path

import pytest
from making.tiny_report import make_report

from bench.filesystem.cache_folder import cache_folder
from bench.harness import worker_process
from bench.report.schema import Report
from bench.system.sandbox import ruleset_of


@pytest.mark.parametrize(("version", "rights"), [(1, 10), (2, 11), (3, 12), (4, 12), (5, 13), (7, 13)])
def test_no_landlock_is_asked_for_more_than_it_knows(version: int, rights: int) -> None:
    ruleset = ruleset_of(version)

    assert ruleset.handled_access_fs.bit_count() == rights
    assert ruleset.handled_access_net == (3 if version >= 4 else 0)
    assert ruleset.scoped == (3 if version >= 6 else 0)


def test_a_report_of_before_has_no_confinement_and_is_read() -> None:
    document = make_report().model_dump(mode="json", by_alias=True)
    del document["confinement"]

    assert Report.model_validate_json(json.dumps(document)).confinement is None


def test_only_an_accelerators_worker_writes_more_than_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "nvidia0"
    monkeypatch.setattr(worker_process, "device_files", lambda: [device])

    assert worker_process._writable("CPUExecutionProvider") == worker_process._writable("CPU") == []
    assert worker_process._writable("cuda") == [device]
    assert worker_process._writable("TensorrtExecutionProvider") == [device, cache_folder("tensorrt")]
