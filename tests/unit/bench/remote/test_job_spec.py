"""The records of a job: one request from the command line to the board's process."""

from pathlib import Path

import pytest

from bench.bundle.manifest import read_bundle
from bench.errors import BoardError
from bench.remote.agent_messages import Alive, Answer, JobEvent, read_message
from bench.remote.job_folder import BundleFiles, JobRequest
from bench.remote.job_spec import Environment, Job, make_job, select_formats
from bench.run.request import BenchmarkRequest
from device_profiles.loading import load_profile

REQUEST = BenchmarkRequest(only=("onnx-fp32",), quick=True, name="a name", tool="1.0", created="now")


def job(bundle_folder: Path, request: BenchmarkRequest) -> Job:
    bundle = read_bundle(bundle_folder)
    selection = select_formats(bundle, request.only, (), None)
    environment = Environment(wheels=(), with_system_packages=False, imports=(), python="3.11")
    return make_job(bundle, request, load_profile("raspberry-pi-4"), selection, environment)


def test_the_request_reaches_the_job_s_process_unchanged(bundle_folder: Path) -> None:
    request = REQUEST.model_copy(update={"sustained_s": 2.5})

    spec = job(bundle_folder, request).spec("environment", resume=True)

    received = JobRequest.model_validate_json(spec.request.model_dump_json(by_alias=True))
    assert received.benchmark == request.model_copy(update={"resume": True})
    assert received.profile == load_profile("raspberry-pi-4")
    assert received.subject == BundleFiles(variants=("onnx-fp32",))


def test_excluded_formats_are_part_of_the_job_s_request(bundle_folder: Path) -> None:
    everything = job(bundle_folder, REQUEST.model_copy(update={"only": ()}))

    assert set(everything.request.benchmark.excluded_formats) == {"torchscript"}
    assert isinstance(everything.request.subject, BundleFiles)
    assert not any(variant.startswith("torchscript") for variant in everything.request.subject.variants)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"created": "later"}, True),
        ({"resume": True}, True),
        ({"quick": False}, False),
        ({"name": "another"}, False),
        ({"tool": "2.0"}, False),
    ],
)
def test_the_same_request_finds_its_job_again(
    bundle_folder: Path, change: dict[str, object], is_same: bool
) -> None:
    first, second = (job(bundle_folder, request) for request in (REQUEST, REQUEST.model_copy(update=change)))

    assert (first.key == second.key) is is_same


def test_messages_of_the_agent_are_recognised() -> None:
    event = b'{"event": {"kind": "advance", "steps": 2, "note": ""}, "offset": 7}'

    assert isinstance(read_message("board", b'{"answer": null}'), Answer)
    assert isinstance(read_message("board", event), JobEvent)
    assert isinstance(read_message("board", b'{"alive": true}'), Alive)


@pytest.mark.parametrize("line", [b"", b"Welcome!", b"[]", b"{}", b'{"answer": 1, "event": 2}'])
def test_another_line_is_an_error_that_shows_it(line: bytes) -> None:
    with pytest.raises(BoardError, match="which is not a message of edgefit's agent"):
        read_message("board", line)
