"""Several networks as one job of a board: each in a folder of its own, and a report for each."""

import os
from pathlib import Path

import pytest
from making.compared_report import Row
from making.networks import network

from bench.bundle.manifest import Bundle, read_bundle
from bench.errors import BoardError, InputError
from bench.remote.fetched_report import fetched_reports, longest_report
from bench.remote.job_files import job_files, name_of, offers_of, personal_content
from bench.remote.job_folder import JobRequest, ReportTexts
from bench.remote.job_process import opened
from bench.remote.job_spec import Environment, make_job, select_formats
from bench.report.files import to_json
from bench.report.measured_bundle import record_of
from bench.report.schema import Report
from bench.run.parts import MeasuredSubject, Networks
from bench.run.request import BenchmarkRequest
from device_profiles.loading import load_profile


@pytest.fixture
def networks(bundle_folder: Path, bundle_copy: Path) -> Networks:
    """A bundle and its copy."""
    bundles = read_bundle(bundle_folder), read_bundle(bundle_copy)
    return Networks(tuple(MeasuredSubject(each, name) for each, name in zip(bundles, "ab", strict=True)))


def reports_of(networks: Networks) -> list[Report]:
    reports = []
    for each in networks.measured:
        assert isinstance(each.subject, Bundle)
        record = record_of(each.subject)
        report = network(each.network, {"onnx-fp32": Row(9)}, images=len(each.subject.pack()))
        reports.append(report.model_copy(update={"bundle": record}))
    return reports


def fetched(networks: Networks, reports: list[Report]) -> tuple[Report, ...]:
    text = ReportTexts(reports=tuple(map(to_json, reports))).model_dump_json()
    return fetched_reports("pi", text, networks, reports[0].profile, reports[0].host)


def test_a_board_opens_each_network_under_its_name(networks: Networks, tmp_path: Path) -> None:
    request = BenchmarkRequest(tool="1.0", created="now", only=("onnx-fp32",))
    environment = Environment(wheels=(), with_system_packages=False, imports=(), python="3.11")
    selection = select_formats(networks, request.only, (), None)
    job = make_job(networks, request, load_profile("raspberry-pi-4"), selection, environment)
    received = JobRequest.model_validate_json(job.spec("e", resume=False).request.model_dump_json())
    for path, file in job.files.items():
        assert isinstance(file.content, Path)
        (tmp_path / "board" / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(file.content, tmp_path / "board" / path)

    with opened(tmp_path / "board", received.subject) as there:
        assert isinstance(there, Networks)
        assert [each.network for each in there.measured] == ["a", "b"]
        for here, other in zip(networks.measured, there.measured, strict=True):
            assert isinstance(here.subject, Bundle)
            assert isinstance(other.subject, Bundle)
            assert other.subject.sha256 == here.subject.sha256
            assert len(other.subject.pack()) == len(here.subject.pack())
    assert {path.split("/")[0] for path in job.files} == {"0", "1"}
    assert not any("openvino" in path for path in job.files)


def test_what_is_measured_has_the_names_and_contents_of_all_networks(networks: Networks) -> None:
    single = networks.measured[0].subject

    assert name_of(networks) == "a, b"
    assert personal_content(networks) == personal_content(single)
    assert len(offers_of(networks, ())) == 2 * len(offers_of(single, ()))
    assert longest_report(networks, None) == 2 * longest_report(single, None)
    other = Networks(networks.measured[::-1])
    assert job_files(networks, ()).sha256 != job_files(other, ()).sha256


def test_an_unknown_variant_is_refused_as_here(networks: Networks) -> None:
    with pytest.raises(InputError, match="unknown variant 'onnx-fp23'"):
        select_formats(networks, ("onnx-fp23",), (), None)


def test_the_reports_of_all_networks_come_back_in_their_order(networks: Networks) -> None:
    reports = reports_of(networks)

    assert list(fetched(networks, reports)) == reports


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda reports: reports[:1], "a report of other networks than"),
        (lambda reports: [*reports, reports[0]], "a report of other networks than"),
        (lambda reports: reports[::-1], "a report of other runs than"),
        (
            lambda reports: [reports[0], reports[1].model_copy(update={"joint_run": "6" * 64})],
            "a report of other runs than",
        ),
        (
            lambda reports: [
                reports[0],
                reports[1].model_copy(
                    update={"bundle": reports[1].bundle.model_copy(update={"sha256": "0" * 64})}
                ),
            ],
            "a report of another bundle than",
        ),
    ],
)
def test_reports_of_others_are_refused(networks: Networks, change: object, message: str) -> None:
    assert callable(change)
    with pytest.raises(BoardError, match=f"^pi: the board sent {message} was asked for"):
        fetched(networks, change(reports_of(networks)))


@pytest.mark.parametrize("text", ["", "[]", '{"reports":[1]}', '{"reports":["{"]}', '{"reports":[],"x":1}'])
def test_a_text_without_reports_is_refused(networks: Networks, text: str) -> None:
    first = reports_of(networks)[0]

    with pytest.raises(BoardError, match=r"^pi: the board sent a "):
        fetched_reports("pi", text, networks, first.profile, first.host)
