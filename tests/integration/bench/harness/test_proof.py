"""A proof of precision that fails takes nothing from what was measured, unless the process dies of it."""

from pathlib import Path

import pytest
from making.faulty_plan import SHORT, case, outcomes_of, plan

from bench.bundle.signature import image_input
from bench.bundle.tensor_pack import random_pack, write_tensor_pack
from bench.harness.plan import Case, ModelInputs
from bench.measurements import Completed, Failed, Stage
from bench.run.row_warnings import row_warnings


def model_case(folder: Path, name: str, fault: str) -> Case:
    """A case of a model file whose proof does what `fault` says."""
    pack = folder / "inputs.npz"
    write_tensor_pack(pack, random_pack([image_input(32)]))
    inputs = ModelInputs(pack=pack, sha256="0" * 64, count=8, output_names=("y",), has_open_axes=False)
    return case(folder, name, f"{fault} executed", model=inputs)


@pytest.mark.timeout(300)
def test_a_graph_that_cannot_be_read_is_a_warning_and_a_death_is_a_failed_row(tmp_path: Path) -> None:
    cases = [model_case(tmp_path, fault, fault) for fault in ("nothing", "raise", "segfault", "memory")]

    outcomes = outcomes_of(plan(tmp_path, cases))

    healthy, unread = outcomes["nothing"], outcomes["raise"]
    assert isinstance(healthy, Completed)
    assert isinstance(unread, Completed)
    assert (healthy.executed is None, healthy.proof_failure) == (False, None)
    assert unread.executed is None
    assert unread.proof_failure == "RuntimeError: the operator is not implemented"
    assert unread.outputs == healthy.outputs
    warnings = row_warnings(unread, None, SHORT, quick=True)
    assert any(
        "executed graph could not be read (RuntimeError: the operator" in warning for warning in warnings
    )
    for name in ("segfault", "memory"):
        outcome = outcomes[name]
        assert isinstance(outcome, Failed)
        assert outcome.stage is Stage.PRECISION
