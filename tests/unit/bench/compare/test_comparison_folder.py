"""The folder of a comparison: written whole, read again, and refused where it was changed."""

import json
import shutil
from pathlib import Path

import pytest
from making.networks import two_networks

from bench.compare.comparing import compare_networks
from bench.compare.document import NetworkComparison
from bench.compare.folder import is_comparison, read_comparison, write_comparison, written_comparison
from bench.errors import InputError


@pytest.fixture(scope="module")
def _written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("comparison")
    reports = two_networks()
    named = [reports[0], reports[1].model_copy(update={"name": "a/small net"})]
    write_comparison(folder, compare_networks(named, "a/small net"), named)
    return folder


@pytest.fixture
def folder(_written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_written, tmp_path / "comparison"))


def test_a_comparison_is_read_as_it_was_written_and_with_another_baseline(folder: Path) -> None:
    comparison, reports = read_comparison(folder, None)
    other, _ = read_comparison(folder, "resnet")

    assert is_comparison(folder)
    files = ["reports/1-resnet.json", "reports/2-a-small-net.json"]
    assert [file.path for file in comparison.reports] == files
    assert comparison == NetworkComparison.of_json((folder / "comparison.json").read_bytes())
    assert (comparison.baseline, other.baseline) == ("a/small net", "resnet")
    assert [report.name for report in reports] == ["resnet", "a/small net"]
    assert set(written_comparison(folder) or ()) == {"comparison.json", *files}


def test_a_report_of_another_run_in_its_place_is_refused(folder: Path) -> None:
    (folder / "reports" / "1-resnet.json").write_bytes(
        (folder / "reports" / "2-a-small-net.json").read_bytes()
    )

    with pytest.raises(InputError, match=r"1-resnet\.json"):
        read_comparison(folder, None)


def test_a_missing_report_and_a_damaged_record_are_refused_in_a_sentence(folder: Path) -> None:
    (folder / "reports" / "1-resnet.json").unlink()
    with pytest.raises(InputError, match=r"1-resnet\.json: no such report"):
        read_comparison(folder, None)

    record = folder / "comparison.json"
    document = json.loads(record.read_text())
    record.write_text(json.dumps(document | {"reports": []}))
    with pytest.raises(InputError, match="the comparison has no report"):
        read_comparison(folder, None)

    record.write_text(json.dumps(document | {"baseline": 3}))
    with pytest.raises(InputError, match="baseline"):
        read_comparison(folder, None)
    record.write_bytes(b"{")
    with pytest.raises(InputError, match=r"comparison\.json"):
        read_comparison(folder, None)
    assert written_comparison(folder) is None
