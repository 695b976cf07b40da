"""`--metric`: a figure of the user's own, from a function with scikit-learn's arguments.

The function is the user's code. It runs here, on the answers that a report holds, and never on a board.
"""

import importlib
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.bundle.manifest import Bundle
from bench.bundle.user_code import user_code
from bench.errors import InputError
from bench.report.measured_bundle import evaluation_of
from bench.report.predictions import metric_arguments
from bench.report.schema import Evaluation, MetricValue, Report, Run

Function = Callable[..., object]


@dataclass(frozen=True)
class Metric:
    """A function `(y_true, y_score)` of the user's own.

    `y_true`: int64 [samples], or [samples, labels]; of two classes 1 is the positive one. `y_score`: float64
    probabilities [samples, classes] or [samples, labels]; of two classes those of the positive one [samples].
    """

    name: str
    """Where it is: `package.module:function`."""
    function: Function
    """The function."""

    @classmethod
    def named(cls, name: str) -> "Metric":
        """Import a metric; raises InputError if there is none of this name."""
        module_name, _, function_name = name.partition(":")
        if not module_name or not function_name:
            raise InputError(
                f"--metric {name}: is not package.module:function; write one such as "
                "sklearn.metrics:average_precision_score"
            )
        with user_code(f"--metric {name}"), _with_this_folder():
            function: object = getattr(importlib.import_module(module_name), function_name, None)
        if not callable(function):
            raise InputError(
                f"--metric {name}: {module_name} has no function '{function_name}'; name one that it has"
            )
        return cls(name, function)

    def value(self, values: Sequence[Sequence[float]], evaluation: Evaluation) -> float:
        """Return the metric of a row's judged values; raises InputError for whatever the function does."""
        arguments = metric_arguments(values, evaluation)
        with user_code(f"--metric {self.name}"), _with_this_folder():
            given = self.function(*arguments)
            value = _as_float(given)
        if value is None or not math.isfinite(value):
            raise InputError(
                f"--metric {self.name}: returned {given!r}; it must return one finite number for y_true "
                f"{list(arguments[0].shape)} and y_score {list(arguments[1].shape)}"
            )
        return value


def _as_float(given: object) -> float | None:
    """Return a number, or an array of one number, as a float; None for anything else."""
    try:
        return float(given)  # type: ignore[arg-type] # the user's function may return anything
    except (TypeError, ValueError):
        return None


@contextmanager
def _with_this_folder() -> Iterator[None]:
    """Let the user's modules in the current folder be imported, as `python -m` does."""
    folder = os.getcwd()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def metrics_of(names: Sequence[str]) -> tuple[Metric, ...]:
    """Import the metrics of these names, each once."""
    return tuple(Metric.named(name) for name in dict.fromkeys(names))


def try_metrics(metrics: Sequence[Metric], subject: object) -> None:
    """Call each metric once on the source's own answers, before anything is measured.

    Raises InputError if what is measured has no accuracy, or if a function fails.
    """
    if not metrics:
        return
    if not isinstance(subject, Bundle):
        raise InputError("--metric: model files are measured without labels; give a bundle")
    pack = subject.pack()
    _with_values(metrics, evaluation_of(subject, pack, len(pack)), subject.manifest.name)


def with_metrics(report: Report, metrics: Sequence[Metric]) -> Report:
    """Return a report whose rows have the metrics; raises InputError where they cannot be computed."""
    if not metrics:
        return report
    if report.evaluation is None:
        raise InputError(f"--metric: '{report.name}' is of model files, which have no labels; leave it out")
    references = _with_values(metrics, report.evaluation, report.name)
    runs = tuple(_with_metrics(run, references, report.evaluation) for run in report.runs)
    return report.model_copy(update={"runs": runs})


def _with_values(metrics: Sequence[Metric], evaluation: Evaluation, name: str) -> list[tuple[Metric, float]]:
    """Return each metric with its value for the reference."""
    if evaluation.gap is not None:
        raise InputError(f"--metric: '{name}' has no accuracy, because {evaluation.gap}; leave it out")
    return [(metric, metric.value(evaluation.reference_logits, evaluation)) for metric in metrics]


def _with_metrics(run: Run, references: Sequence[tuple[Metric, float]], evaluation: Evaluation) -> Run:
    logits = None if run.completed is None else run.completed.logits
    if logits is None:
        return run
    known = {metric.name: metric for metric in run.metrics}
    for metric, reference in references:
        value = metric.value(logits, evaluation)
        known[metric.name] = MetricValue(name=metric.name, value=value, reference=reference)
    return run.model_copy(update={"metrics": tuple(known.values())})
