"""What the comparison of a model file's outputs with the reference's says, in words. Pure."""

from bench.lists_in_words import some_of
from bench.report.schema import OutputComparison, OutputsComparison, Report, Run
from bench.statistics.accuracy import MIN_SQNR_DB


def outputs_sentence(report: Report, run: Run) -> str | None:
    """Return whether a row's outputs agree with the reference's; None where there is nothing to compare."""
    if run.case == report.reference_case:
        return "it is the reference that the outputs of the other files are compared with"
    gap = not_compared(report, run)
    if run.outputs is None or not run.outputs.outputs:
        return None if gap is None else f"its outputs were not compared: {gap}"
    rest = "" if gap is None else f"; not compared: {gap}"
    return (difference(report, run) or _agreement(report, run, run.outputs)) + rest


def answers_sentence(report: Report, run: Run) -> str | None:
    """Return how a row of a bundle that has no accuracy agrees with the source; None where it has some."""
    bundle, evaluation, figures = report.bundle, report.evaluation, run.accuracy
    if bundle is None or evaluation is None or figures is None or evaluation.gap is None:
        return None
    agreement = [] if figures.agreement is None else [f"agreement {figures.agreement:.3f}"]
    sqnr = "exact" if figures.sqnr_db is None else f"SQNR {figures.sqnr_db:.1f} dB"
    compared = f"{', '.join([*agreement, sqnr])} with the {bundle.reference}"
    return f"{compared} on {figures.images} {bundle.samples}; no accuracy, because {evaluation.gap}"


def disagreement(report: Report, run: Run) -> str | None:
    """Return by how much a row's outputs differ from the reference's, and which could not be compared."""
    parts = (difference(report, run), not_compared(report, run))
    return "; not compared: ".join(part for part in parts if part is not None) or None


def difference(report: Report, run: Run) -> str | None:
    """Return by how much a row's outputs differ from the reference's; None if they do not differ."""
    compared = run.outputs
    different = [] if compared is None else [output for output in compared.outputs if _differs(output)]
    if compared is None or not different:
        return None
    figures = "; ".join(_figures(output, compared) for output in different)
    return f"its outputs differ from those of {compared.reference}: {figures} ({_source(report, run)})"


def _differs(output: OutputComparison) -> bool:
    """Tell whether an item has another class; of an output without classes, whether its SQNR is low."""
    if output.agreement is not None:
        return output.agreement < 1
    return output.sqnr_db is not None and output.sqnr_db < MIN_SQNR_DB


def _agreement(report: Report, run: Run, compared: OutputsComparison) -> str:
    figures = "; ".join(_figures(output, compared) for output in compared.outputs)
    return f"its outputs agree with those of {compared.reference}: {figures} ({_source(report, run)})"


def _figures(output: OutputComparison, compared: OutputsComparison) -> str:
    has_others = len(compared.outputs) + len(compared.unmatched) > 1
    name = f"'{output.name}' " if has_others else ""
    if output.agreement is not None:
        return f"{name}agreement {output.agreement:.3f} on {output.items} items"
    cosine = [] if output.cosine is None else [f"cosine {output.cosine:.4f}"]
    sqnr = [] if output.sqnr_db is None else [f"SQNR {output.sqnr_db:.1f} dB"]
    return name + (", ".join([*cosine, *sqnr]) or f"largest difference {output.largest_difference:.3g}")


def _source(report: Report, run: Run) -> str:
    model = report.model_of(run)
    return "unknown inputs" if model is None else model.values.source


def not_compared(report: Report, run: Run) -> str | None:
    """Return why outputs of a row were not compared; None if all were, and for the reference itself."""
    reference = _first(report)
    if reference is None or run is reference or run.completed is None or run.completed.outputs is None:
        return None
    if run.outputs is None:
        return f"it was run with other inputs than {reference.case}"
    if not run.outputs.unmatched:
        return None
    names = some_of([f"'{name}'" for name in run.outputs.unmatched])
    return f"{names} has no counterpart of the same shape in {reference.case}"


def _first(report: Report) -> Run | None:
    """Return the row of the first model file that completed, which is the reference."""
    rows = (run for run in report.runs if run.completed is not None and run.completed.outputs is not None)
    return next(rows, None)
