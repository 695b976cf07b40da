"""Reads a model file's signature and graph in a worker: confined, because some formats execute code."""

from collections.abc import Sequence

from bench.bundle.model_files import ModelFile
from bench.bundle.model_graph import ModelGraph
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.signature import ModelDescription, Tensor
from bench.errors import BenchError, MissingRuntimeError, first_sentence
from bench.harness import worker_messages
from bench.harness.child_process import ChildDiedError
from bench.harness.load_errors import load_error
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.runtimes.formats import FormatRow
from bench.runtimes.installed import installed_version, is_installed, missing_sentence, row_of

_LIMIT_S = 300.0


class FailedInferenceError(Exception):
    """The inference failed that was to count a model's multiply-accumulates."""


def describe(model: ModelFile) -> ModelDescription:
    """Return what the model's runtime reads in its file, and its precision.

    Raises InputError if the runtime cannot load it. Raises MissingRuntimeError if the runtime is not
    installed, or if the model has operators that it does not know.
    """
    row = row_of(model.format)
    request = worker_messages.Describe(module=row.module, entry=str(model.path.resolve()))
    try:
        answer = _ask(model, row, request)
    except ChildDiedError as error:
        raise _load_error(model, row, error) from None
    assert isinstance(answer, worker_messages.Described)
    return answer.description


def read_graph(model: ModelFile, inputs: Sequence[Tensor] | None) -> ModelGraph:
    """Return the model's graph as its file has it, before it is optimised.

    `inputs`: with fixed shapes, to count multiply-accumulates; None: they stay unknown. Raises
    FailedInferenceError if they cannot be counted, and what `describe` raises.
    """
    row = row_of(model.format)
    request = worker_messages.ReadGraph(
        module=row.module,
        entry=str(model.path.resolve()),
        inputs=None if inputs is None else tuple(inputs),
    )
    try:
        answer = _ask(model, row, request)
    except ChildDiedError as error:
        if inputs is None:
            raise _load_error(model, row, error) from None
        raise FailedInferenceError(
            f"an inference failed that was to count them ({first_sentence(error.message)})"
        ) from None
    assert isinstance(answer, worker_messages.GraphRead)
    return answer.graph


def _ask(model: ModelFile, row: FormatRow, request: worker_messages.Request) -> worker_messages.Answer:
    if not is_installed(row):
        raise MissingRuntimeError(f"{model.path}: {missing_sentence(row)}")
    worker = WorkerProcess()
    try:
        return worker.ask(request, _LIMIT_S)
    except RuntimeMissingError as error:
        raise MissingRuntimeError(f"{model.path}: {error}") from None
    finally:
        worker.stop()


def _load_error(model: ModelFile, row: FormatRow, error: ChildDiedError) -> BenchError:
    known = load_error(model.path, f"{row.needs} {installed_version(row)}", error.message)
    if isinstance(known, MissingRuntimeError) or model.format != "onnx":
        return known
    if domains := read_onnx_graph(model.path).custom_domains:
        return MissingRuntimeError(
            f"{model.path} uses operators of {', '.join(domains)}, which {row.needs} does not have; measure "
            "it where a runtime has them, or export the model without them"
        )
    return known
