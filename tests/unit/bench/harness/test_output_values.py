"""What is kept of outputs: parts that are joined, and outputs whose shape changes."""

import numpy as np

from bench.harness.output_values import joined, outputs_of


def test_parts_are_joined_in_their_order() -> None:
    parts = [outputs_of([[np.eye(3)[[index]]]], ["scores"], 10) for index in (2, 0, 1)]

    (output,) = joined(parts)

    assert output.classes == (2, 0, 1)
    assert output.values == ((0, 0, 1), (1, 0, 0), (0, 1, 0))


def test_an_output_whose_shape_changes_has_no_values_wherever_it_changes() -> None:
    one, two = np.ones((1, 6)), np.ones((2, 6))

    (within,) = outputs_of([[one], [two]], ["found"], 10)
    (between,) = joined([outputs_of([[one]], ["found"], 10), outputs_of([[two]], ["found"], 10)])

    assert within == between
    assert (within.shape, within.classes, within.values) == ((), None, ((), ()))
