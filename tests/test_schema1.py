"""Files of schema 1, which commit 958dad5 wrote into tests/data/schema1, are read for ever."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.bundle.manifest import read_bundle
from bench.filesystem.whole_files import sha256_of
from bench.report.files import read_report
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.table import load_runtime, row_of
from device_profiles.loading import load_profile
from edgefit.app import app
from models.run_folder import read_run

FOLDER = Path(__file__).parent / "data" / "schema1"


def test_a_run_folder_is_read_and_its_network_built() -> None:
    run = read_run(FOLDER / "run")

    assert (run.record.schema_, run.record.image_size) == (1, 32)
    assert not run.network().training


def test_a_bundle_is_read_and_names_no_class_of_cpus() -> None:
    bundle = read_bundle(FOLDER / "bundle")

    assert bundle.manifest.schema_ == 1
    assert [each.variant for each in bundle.manifest.artifacts] == [
        "torchscript-int8",
        "onnx-int8",
        "openvino-int8",
    ]
    assert all(each.cpu is None and each.classes == () for each in bundle.manifest.artifacts)


@pytest.mark.parametrize("name", ["torchscript", "onnx", "openvino"])
def test_its_artifacts_answer_as_their_manifest_says(name: str) -> None:
    bundle = read_bundle(FOLDER / "bundle")
    (artifact,) = bundle.select([f"{name}-int8"])
    options = LoadOptions(
        threads=1, provider=row_of(name).provider, engine=artifact.engine, int8=True, exact=True
    )
    session = load_runtime(name).load(bundle.folder / artifact.entry, options)
    pack = bundle.pack()
    agreeing = sum(
        int(session.infer(pack.batch(index)).argmax() == pack.reference_logits[index].argmax())
        for index in range(len(pack))
    )

    assert agreeing >= len(pack) - 1


@pytest.mark.parametrize("name", ["report.json", "report-proxy.json"])
def test_a_report_is_read_shown_and_chosen_from(name: str) -> None:
    report = read_report(FOLDER / name)
    runner = CliRunner()

    assert report.schema_ == 2
    assert report.bundle.sha256 == sha256_of(FOLDER / "bundle" / "manifest.json")
    assert runner.invoke(app, ["report", str(FOLDER / name), "--quiet"]).exit_code == 0
    chosen = runner.invoke(app, ["choose", str(FOLDER / name), "--json", "--min-retention", "0"])
    assert chosen.exit_code == 0, chosen.output
    assert json.loads(chosen.stdout)


def test_a_calibrated_profile_is_read() -> None:
    profile = load_profile(str(FOLDER / "profile.yaml"))

    assert profile.device == "another"
    assert profile.processor is not None
