"""Reads a model file's signature in a worker: a confined process, because some formats execute code."""

from bench.bundle.model_files import ModelFile
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.signature import ModelDescription
from bench.errors import BenchError, MissingRuntimeError
from bench.harness import worker_messages
from bench.harness.child_process import ChildDiedError
from bench.harness.load_errors import load_error
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.runtimes.formats import FormatRow
from bench.runtimes.installed import installed_version, is_installed, missing_sentence, row_of

_LIMIT_S = 300.0


def describe(model: ModelFile) -> ModelDescription:
    """Return what the model's runtime reads in its file, and its precision.

    Raises InputError if the runtime cannot load it. Raises MissingRuntimeError if the runtime is not
    installed, or if the model has operators that it does not know.
    """
    row = row_of(model.format)
    if not is_installed(row):
        raise MissingRuntimeError(f"{model.path}: {missing_sentence(row)}")
    worker = WorkerProcess()
    try:
        answer = worker.ask(
            worker_messages.Describe(module=row.module, entry=str(model.path.resolve())), _LIMIT_S
        )
    except RuntimeMissingError as error:
        raise MissingRuntimeError(f"{model.path}: {error}") from None
    except ChildDiedError as error:
        raise _load_error(model, row, error) from None
    finally:
        worker.stop()
    assert isinstance(answer, worker_messages.Described)
    return answer.description


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
