"""Outputs of timed inferences are compared with those of the accuracy pass, in the real harness."""

from pathlib import Path

import numpy as np
import pytest
from making.faulty_plan import IMAGES, SHORT, Silent, case, faulty_runtime, outcomes_of, plan
from making.tiny_report import HOST

from bench.bundle.evaluation_pack import EvaluationPack, write_pack
from bench.bundle.signature import image_input
from bench.bundle.tensor_pack import TensorPack, write_tensor_pack
from bench.harness.case_worker import CaseEndedError
from bench.harness.energy_pass import Clock, measure_energy
from bench.harness.examination import Examiner
from bench.harness.paired_blocks import Pair, PairedRunner, SideEnded
from bench.harness.plan import Case, ModelInputs, Plan
from bench.harness.timed_outputs import MOST_DIFFERENCE, ExpectedOutputs
from bench.measurements import Completed, Failed, FailureKind, Stage
from bench.run.row_warnings import row_warnings
from bench.system.power import EnergyCounter

WRONG_WHILE_TIMED = ("zeros timed", "previous timed")


def with_different_images(folder: Path, cases: list[Case]) -> Plan:
    """A plan over images of which each gives other outputs."""
    grey = np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32), dtype=np.uint8)
    logits = np.ones((IMAGES, 2), dtype=np.float32)
    write_pack(folder / "evaluation.npz", EvaluationPack(grey, np.zeros(IMAGES, dtype=np.int64), logits))
    return plan(folder, cases, SHORT)


def model_case(folder: Path, name: str, fault: str) -> Case:
    """A model file of the faulty runtime, with inputs of which each gives other outputs."""
    pack = folder / "inputs.npz"
    values = np.random.default_rng(0).random((8, 1, 3, 32, 32), dtype=np.float32)
    values *= np.arange(1, 9, dtype=np.float32).reshape(-1, 1, 1, 1, 1)
    write_tensor_pack(pack, TensorPack((values,)))
    inputs = ModelInputs(pack=pack, sha256="0", count=8, output_names=(), has_open_axes=False)
    return case(folder, name, fault, model=inputs, inputs=(image_input(32),))


def test_a_runtime_that_answers_wrongly_while_it_is_timed_is_a_failed_row(tmp_path: Path) -> None:
    faulty = [case(tmp_path, fault.split()[0], fault) for fault in WRONG_WHILE_TIMED]

    outcomes = outcomes_of(with_different_images(tmp_path, [*faulty, case(tmp_path, "right")]))

    for one in faulty:
        outcome = outcomes[one.id]
        assert isinstance(outcome, Failed), one.id
        assert (outcome.stage, outcome.kind) == (Stage.TIMING, FailureKind.WRONG_OUTPUT)
        assert "the output of a timed inference for image " in outcome.message
        assert "an untimed one does not" in outcome.message
    right = outcomes["right"]
    assert isinstance(right, Completed)
    assert right.output_differences == (0.0, 0.0, 0.0)
    assert isinstance(outcomes["null"], Completed)
    assert outcomes["null"].output_differences == ()


def test_a_model_file_is_compared_with_its_own_untimed_outputs(tmp_path: Path) -> None:
    faulty = [model_case(tmp_path, fault.split()[0], fault) for fault in WRONG_WHILE_TIMED]

    outcomes = outcomes_of(plan(tmp_path, [*faulty, model_case(tmp_path, "right", "nothing")]))

    for one in faulty:
        wrong = outcomes[one.id]
        assert isinstance(wrong, Failed)
        assert wrong.kind is FailureKind.WRONG_OUTPUT
        assert "for input " in wrong.message
    right = outcomes["right"]
    assert isinstance(right, Completed)
    assert right.output_differences == (0.0, 0.0, 0.0)


def test_a_process_that_answers_otherwise_than_the_accuracy_pass_is_a_failed_row(tmp_path: Path) -> None:
    outcome = outcomes_of(with_different_images(tmp_path, [case(tmp_path, "a", "in-timed-processes timed")]))

    assert isinstance(outcome["a"], Failed)
    assert "so do untimed inferences of that process" in outcome["a"].message


def test_a_file_that_never_answers_twice_the_same_has_a_warning(tmp_path: Path) -> None:
    outcome = outcomes_of(with_different_images(tmp_path, [case(tmp_path, "a", "random timed")]))["a"]

    assert isinstance(outcome, Completed)
    assert outcome.largest_output_difference is not None
    assert outcome.largest_output_difference > MOST_DIFFERENCE
    warnings = row_warnings(outcome, None, SHORT, quick=True)
    assert any("differ from one inference to the next" in warning for warning in warnings)


def test_a_wrong_output_ends_its_side_of_a_check(tmp_path: Path) -> None:
    planned = with_different_images(tmp_path, [case(tmp_path, "a"), case(tmp_path, "a-new", "zeros timed")])
    before, after = planned.cases
    with faulty_runtime():
        examiner = Examiner(planned, HOST, "now", Silent())
        expected = [ExpectedOutputs.of(each, examiner.examine(each)) for each in (before, after)]
        ended = PairedRunner(planned).run_repetition(Pair(before, after, *expected), 0, limit_s=60)

    assert isinstance(ended, SideEnded)
    assert ended.is_candidate
    assert isinstance(ended.outcome, Failed)
    assert ended.outcome.kind is FailureKind.WRONG_OUTPUT


def test_sustained_runs_each_case_for_as_long_as_was_asked_and_is_compared_as_well(tmp_path: Path) -> None:
    planned = with_different_images(tmp_path, [case(tmp_path, "a")])

    outcomes = outcomes_of(plan(tmp_path, list(planned.cases), SHORT, sustained_s=0.5))

    assert isinstance(outcomes["a"], Completed)
    run = outcomes["a"].sustained
    assert run is not None
    assert sum(block.elapsed_ns for block in run.figures) >= 0.5e9
    assert {block.output_difference for block in run.figures} == {0.0}
    assert isinstance(outcomes["null"], Completed)
    assert outcomes["null"].sustained is None


def test_the_outputs_of_an_energy_pass_are_compared_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("_RUN_S", 0.1), ("_IDLE_S", 0.05), ("_LONGEST_GAP_S", 60.0)):
        monkeypatch.setattr(f"bench.harness.energy_pass.{name}", seconds)
    planned = with_different_images(tmp_path, [case(tmp_path, "a", "zeros timed")])
    (one,) = planned.cases
    with faulty_runtime():
        expected = ExpectedOutputs.of(one, Examiner(planned, HOST, "now", Silent()).examine(one))
        meter = EnergyCounter("a counter", "a domain", lambda: 0, range_uj=1)
        with pytest.raises(CaseEndedError) as ended:
            measure_energy(one, planned, meter, Clock(), expected)

    assert isinstance(ended.value.outcome, Failed)
    assert (ended.value.outcome.stage, ended.value.outcome.kind) == (Stage.ENERGY, FailureKind.WRONG_OUTPUT)


def test_a_runtime_that_remembers_its_answers_is_noticed(tmp_path: Path) -> None:
    remembering, other = case(tmp_path, "a", "none remember"), case(tmp_path, "right")
    model = model_case(tmp_path, "model", "none remember")

    outcomes = outcomes_of(with_different_images(tmp_path, [remembering, other]), "images")
    outcomes |= {model.id: outcomes_of(plan(tmp_path, [model]), "model")[model.id]}

    for one in (remembering, model):
        outcome = outcomes[one.id]
        assert isinstance(outcome, Completed)
        warnings = row_warnings(outcome, None, SHORT, quick=True)
        assert any("as if it remembered answers" in sentence for sentence in warnings), one.id
    outcome = outcomes[other.id]
    assert isinstance(outcome, Completed)
    assert outcome.repeats is not None
    assert len(outcome.repeats.first_ns) == len(outcome.repeats.again_ns) == 16
    control = outcomes["null"]
    assert isinstance(control, Completed)
    assert control.repeats is None
