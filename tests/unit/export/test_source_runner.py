"""What the parent makes of a source's answers."""

from pathlib import Path

import numpy as np
import pytest

from bench.bundle.evaluation_pack import read_pack
from bench.bundle.judged_output import CLASSES
from bench.bundle.source_record import SourceKind
from export.data.samples import Samples
from export.messages import ComputeReference, Reference
from export.source_runner import SourceFailedError, SourceRunner
from export.sources.spec import OpenSource, SourceSpec

SPEC = SourceSpec(kind=SourceKind.ONNX, name="model.onnx")
SOURCE = OpenSource(spec=SPEC, inputs=(), outputs=(), output=CLASSES, producer="test")
SAMPLES = Samples(np.zeros((2, 4, 4, 3), np.uint8), None)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> SourceRunner:
    """A runner whose worker gives a number and something that is not finite."""
    answer = Reference(logits=((1.0, 2.0), (None, 3.0)))
    monkeypatch.setattr(SourceRunner, "_ask", lambda *_: answer)
    return SourceRunner(threads=1, timeout_s=1)


def test_what_is_not_finite_is_not_a_number(runner: SourceRunner) -> None:
    with runner:
        values = runner.values(SOURCE, SAMPLES)

    assert np.isnan(values).tolist() == [[False, False], [True, False]]


def test_a_source_that_must_be_finite_and_is_not_is_wrong_input(runner: SourceRunner) -> None:
    with runner, pytest.raises(SourceFailedError, match="not finite for 1 of 2 samples") as raised:
        runner.finite_values(SOURCE, SAMPLES)

    assert raised.value.exit_code == 2


def test_the_worker_reads_samples_of_many_classes_before_the_outputs_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(_: SourceRunner, request: ComputeReference, *__: object) -> Reference:
        assert read_pack(Path(request.pack)).labels is not None
        return Reference(logits=((1.0,), (2.0,)))

    monkeypatch.setattr(SourceRunner, "_ask", read)
    with SourceRunner(threads=1, timeout_s=1) as runner:
        runner.values(SOURCE, Samples(np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 8])))
