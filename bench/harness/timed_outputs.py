"""Whether timed inferences give the outputs of the accuracy pass for the same inputs. Pure.

A runtime or a file that answers wrongly, and so faster, while it is timed would not be seen otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.harness.journal_entries import Ended, Examined
from bench.harness.plan import Case
from bench.harness.worker_messages import KeptOutputs, OutputsToKeep
from bench.measurements import OutputValues

MOST_DIFFERENCE = 0.01
"""The largest difference that counts as rounding, as a share of an output's largest value. Honest runtimes on
a CPU gave none at all, in any format and precision; GPUs may choose other kernels in each process. A smaller
error hardly changes a class."""

# More inputs than take turns in a block.
_MOST_INPUTS = 64
# For how many values of an output, of all inferences together, those of a model file are kept.
_VALUES_KEPT = 1 << 14


def values_kept(inferences: int) -> int:
    """Return how many values of an output of a model file are kept for each inference."""
    return max(1, _VALUES_KEPT // inferences)


@dataclass(frozen=True)
class ExpectedOutputs:
    """The outputs of a case in the accuracy pass; of a model file in the pass that keeps its outputs."""

    outputs: tuple[OutputValues, ...]
    """What each output was, input by input."""
    to_keep: OutputsToKeep
    """What of a timed inference's outputs is compared."""

    @classmethod
    def of(cls, case: Case, examined: Examined | Ended | None) -> "ExpectedOutputs | None":
        """Return what a case's timed inferences have to give; None for a control, and one without a pass."""
        if not isinstance(examined, Examined):
            return None
        if case.model is not None and examined.outputs is not None:
            names, most = case.model.output_names, values_kept(case.model.count)
            first = tuple(
                output.model_copy(update={"values": output.values[:_MOST_INPUTS]})
                for output in examined.outputs
            )
            quantised = case.model.quantised_outputs
            return cls(first, OutputsToKeep(names=names, quantised=quantised, max_values=most))
        evaluation = case.evaluation
        if evaluation is None or examined.logits is None:
            return None
        values = examined.logits[:_MOST_INPUTS]
        judged = OutputValues(name=evaluation.output.name, shape=None, classes=None, values=values)
        return cls((judged,), OutputsToKeep(judged=evaluation.output))

    def difference(self, kept: KeptOutputs) -> float | None:
        """Return the largest difference of a timed inference's outputs from these, as a share of the output's
        largest value; None if there is nothing to compare."""
        given = {output.name: output for output in kept.outputs}
        differences = [
            _difference(given[output.name].values[0], output.values[kept.input], largest)
            for output, largest in zip(self.outputs, self._largest, strict=True)
            if output.name in given and kept.input < len(output.values)
        ]
        return max(differences, default=None)

    @cached_property
    def _largest(self) -> list[float]:
        """The largest absolute value of each output over all inputs."""
        return [
            max((abs(value) for values in output.values for value in values), default=0.0)
            for output in self.outputs
        ]


def _difference(values: Sequence[float], expected: Sequence[float], largest: float) -> float:
    """Return the largest difference as a share of `largest`; 1 if the number of values differs."""
    if len(values) != len(expected):
        return 1.0
    difference = float(np.abs(np.subtract(values, expected)).max(initial=0.0))
    if largest == 0:
        return 1.0 if difference else 0.0
    return difference / largest


def is_repeatable(untimed: Sequence[KeptOutputs]) -> bool:
    """Return whether untimed inferences of one input all give the same, but for rounding."""
    first, *others = untimed
    as_expected = ExpectedOutputs(first.outputs, OutputsToKeep())
    differences = (as_expected.difference(other.model_copy(update={"input": 0})) for other in others)
    return all(difference is None or difference <= MOST_DIFFERENCE for difference in differences)


def wrong_output(name: str, difference: float, is_wrong_untimed: bool) -> str:
    """Say that a timed inference gave another output than the accuracy pass. `name`: of its input."""
    untimed = "so do untimed inferences of that process" if is_wrong_untimed else "an untimed one does not"
    return (
        f"the output of a timed inference for {name} differs from that of the accuracy pass by "
        f"{difference:.2g} times the output's largest value ({MOST_DIFFERENCE:g} would be rounding), and "
        f"{untimed}: this latency is not that of the outputs whose accuracy was measured; measure again, and "
        "if it fails again, use another runtime or file"
    )
