"""Which precision ran, as shares of operators and of multiply-accumulates. Pure functions on operators."""

from collections import Counter
from collections.abc import Sequence

from bench.measurements import Executed, Operator


def share_of_operators(operators: Sequence[Operator]) -> dict[str, float] | None:
    """Return, by precision, the share of convolution and matrix operators; None if there are none."""
    counts = Counter(operator.precision for operator in operators)
    return {precision: count / len(operators) for precision, count in counts.most_common()} or None


def share_of_macs(operators: Sequence[Operator]) -> dict[str, float] | None:
    """Return, by precision, the share of multiply-accumulates; None if those of one operator are unknown."""
    sums: Counter[str] = Counter()
    for operator in operators:
        if operator.macs is None:
            return None
        sums[operator.precision] += operator.macs
    total = sums.total()
    return {precision: macs / total for precision, macs in sums.most_common()} if total else None


def describe(executed: Executed) -> str:
    """Return in one line what ran, and from which graph that was read."""
    counts = Counter(
        (operator.precision, operator.operation.rpartition("::")[2]) for operator in executed.operators
    )
    by_precision: dict[str, list[str]] = {}
    for (precision, operation), count in counts.most_common():
        by_precision.setdefault(precision, []).append(f"{count} {operation}")
    ran = "; ".join(f"{', '.join(words)} in {precision}" for precision, words in by_precision.items())
    return (
        f"{executed.source}: {ran or 'no convolution or matrix operator'}; "
        f"{executed.quantise} quantise and {executed.dequantise} dequantise steps, {executed.casts} casts"
    )
