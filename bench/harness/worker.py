"""The work of a worker's process: it reads one request a line, handles it and writes an answer.

A worker holds one session at a time. The plan and the order of blocks are the parent's business. The module
start sets the process up.
"""

import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

from bench.bundle.evaluation_pack import PackInputs, open_inputs
from bench.bundle.judged_output import judged_values, stacked
from bench.bundle.signature import Inputs, Tensor
from bench.bundle.tensor_pack import StoredTensors, constant_inputs, open_tensor_pack
from bench.errors import BenchError, MissingRuntimeError
from bench.harness import process_memory, worker_messages
from bench.harness.output_values import finite_rows, kept_outputs, outputs_of
from bench.harness.process_memory import HighWaterMark
from bench.harness.repeats import time_repeats
from bench.harness.timing import (
    BlockMonitor,
    HeldOutputs,
    settle,
    time_and_keep,
    time_inferences,
    wait_until_idle,
    warm_up,
)
from bench.measurements import FailureKind, OutputValues, RepeatedInputs
from bench.runtimes.installed import import_runtime
from bench.runtimes.protocol import LoadOptions, Runtime, Session
from bench.system.page_cache import cached_share
from bench.system.sandbox import Confinement

_INPUTS_TO_TIME = 8
_STDOUT_CHARACTERS_SHOWN = 200


class PrintedError(Exception):
    """The runtime wrote to stdout, to which the worker itself writes nothing."""


class Worker:
    """Handles requests. It keeps the session, the session's inputs and the evaluation pack between them."""

    def __init__(self, confinement: Confinement, high_water_mark: HighWaterMark) -> None:
        """Take the confinement of this process, and a mark that was created before it was confined."""
        self._confinement = confinement
        self._high_water_mark = high_water_mark
        self._session: Session | None = None
        self._inputs: tuple[Tensor, ...] = ()
        self._batches: list[Inputs] = []
        self._cpus: tuple[int, ...] | None = None
        self._import_ns: dict[str, int] = {}
        self._pack: PackInputs | None = None
        self._tensors: StoredTensors | None = None

    def handle(self, request: worker_messages.Request) -> worker_messages.Answer:
        """Handle one request and return its answer."""
        match request:
            case worker_messages.CheckReady():
                return worker_messages.Ready(confinement=self._confinement)
            case worker_messages.Prepare():
                self._pin(request.cpus)
                self._import(request.module)
                return worker_messages.Ready(confinement=self._confinement)
            case worker_messages.Load():
                return self._load(request)
            case worker_messages.Infer():
                return self._infer(request)
            case worker_messages.WarmUp():
                return self._warm_up(request)
            case worker_messages.ReadPeak():
                return worker_messages.Peak(
                    peak_bytes=self._high_water_mark.read_bytes(),
                    proportional_bytes=process_memory.proportional_bytes(),
                    device_bytes=self._loaded().device_bytes(),
                )
            case worker_messages.Predict():
                return worker_messages.Predicted(logits=self._predict(request))
            case worker_messages.ComputeOutputs():
                return worker_messages.OutputsComputed(outputs=self._compute_outputs(request))
            case worker_messages.TimeRepeats():
                return worker_messages.RepeatsTimed(repeats=self._time_repeats(request))
            case worker_messages.Describe():
                runtime = import_runtime(request.module)
                return worker_messages.Described(description=runtime.describe(Path(request.entry)))
            case worker_messages.ReadGraph():
                runtime = import_runtime(request.module)
                graph = runtime.read_graph(Path(request.entry), request.inputs)
                return worker_messages.GraphRead(graph=graph)
            case worker_messages.Inspect():
                return self._inspect()

    def _pin(self, cpus: tuple[int, ...] | None) -> None:
        self._cpus = cpus
        if cpus is not None:
            os.sched_setaffinity(0, cpus)

    def _import(self, module: str) -> tuple[Runtime, int]:
        """Import a runtime, and return how long its first import took, in nanoseconds."""
        begin = time.perf_counter_ns()
        runtime = import_runtime(module)
        return runtime, self._import_ns.setdefault(module, time.perf_counter_ns() - begin)

    def _load(self, request: worker_messages.Load) -> worker_messages.Loaded:
        self._pin(request.cpus)
        self._inputs, self._batches = request.inputs, _read_inputs(request)
        cached = cached_share(map(Path, request.files))
        runtime, import_ns = self._import(request.module)
        runtime_bytes = process_memory.resident_bytes()
        self._high_water_mark.reset()
        options = LoadOptions(
            config=request.config,
            precision=request.precision,
            engine=request.engine,
            foreign_engine=request.foreign_engine,
            inputs=request.inputs if request.has_open_axes else (),
        )
        load_begin = time.perf_counter_ns()
        self._session = runtime.load(Path(request.entry), options)
        loaded = time.perf_counter_ns()
        return worker_messages.Loaded(
            runtime=runtime.version(),
            import_ns=import_ns,
            load_ns=loaded - load_begin,
            cached_share=cached,
            runtime_bytes=runtime_bytes,
            loaded_bytes=process_memory.resident_bytes(),
        )

    def _warm_up(self, request: worker_messages.WarmUp) -> worker_messages.Warmed:
        samples_ns, steady = warm_up(
            self._loaded(),
            self._batches,
            request.max_inferences,
            round(request.limit_s * 1e9),
            time.perf_counter_ns,
        )
        wait_until_idle()
        return worker_messages.Warmed(ns=samples_ns, steady=steady)

    def _infer(self, request: worker_messages.Infer) -> worker_messages.Inferred:
        session, count, clock = self._loaded(), request.count, time.perf_counter_ns
        held = settle(session, self._batches, request.settle)
        if request.keep_at is None:
            held.outputs = None
        monitor = BlockMonitor(self._cpus)
        if request.keep_at is None:
            samples_ns = time_inferences(session, self._batches, count, clock)
        else:
            samples_ns = time_and_keep(session, self._batches, count, clock, request.keep_at, held)
        counters = monitor.stop()
        kept = self._kept(request, held)
        if request.wait_until_idle:
            wait_until_idle()
        return worker_messages.Inferred(ns=samples_ns, counters=counters, kept=kept)

    def _kept(self, request: worker_messages.Infer, held: HeldOutputs) -> worker_messages.KeptOutputs | None:
        """Return the outputs that a request wants to have; the clock does not run any more."""
        if request.keep_at is None or request.to_keep is None or held.outputs is None:
            return None
        return worker_messages.KeptOutputs(
            input=request.keep_at % len(self._batches), outputs=kept_outputs(held.outputs, request.to_keep)
        )

    def _predict(self, request: worker_messages.Predict) -> tuple[tuple[float, ...], ...]:
        pack = self._pack = self._pack or open_inputs(Path(request.pack))
        session = self._loaded()
        last = min(request.first + request.count, len(pack))
        rows = [
            judged_values(session.infer(pack.inputs(index, self._inputs)), request.output)
            for index in range(request.first, last)
        ]
        return finite_rows(stacked(rows))

    def _compute_outputs(self, request: worker_messages.ComputeOutputs) -> tuple[OutputValues, ...]:
        pack = self._tensors = self._tensors or open_tensor_pack(Path(request.pack))
        session = self._loaded()
        indices = range(request.first, min(request.first + request.count, len(pack)))
        return outputs_of(
            [session.infer(pack.inputs(index)) for index in indices],
            request.names,
            request.max_values,
            request.quantised,
        )

    def _time_repeats(self, request: worker_messages.TimeRepeats) -> RepeatedInputs | None:
        path = Path(request.pack)
        if request.is_tensor_pack:
            tensors = open_tensor_pack(path)
            count, inputs_of = len(tensors), tensors.inputs
        else:
            pack = open_inputs(path)
            count, inputs_of = len(pack), lambda index: pack.inputs(index, self._inputs)
        return time_repeats(
            self._loaded(),
            self._batches,
            lambda index: inputs_of(index % count),
            _INPUTS_TO_TIME,
            time.perf_counter_ns,
        )

    def _inspect(self) -> worker_messages.Inspected:
        """Read the executed graph. One that edgefit cannot read takes nothing from what was measured."""
        session = self._loaded()
        try:
            return worker_messages.Inspected(executed=session.executed(self._batches[0]))
        except BenchError:
            raise
        except Exception as error:
            if _kind_of(error) is not FailureKind.ERROR:
                raise
            return worker_messages.Inspected(executed=None, failure=f"{type(error).__name__}: {error}")

    def _loaded(self) -> Session:
        if self._session is None:
            raise RuntimeError("no artifact is loaded; send Load before this request")
        return self._session


def _read_inputs(request: worker_messages.Load) -> list[Inputs]:
    if request.pack is None:
        return [constant_inputs(request.inputs)]
    path = Path(request.pack)
    if request.is_tensor_pack:
        tensors = open_tensor_pack(path)
        return [tensors.inputs(index) for index in range(min(_INPUTS_TO_TIME, len(tensors)))]
    pack = open_inputs(path)
    return [pack.inputs(index, request.inputs) for index in range(min(_INPUTS_TO_TIME, len(pack)))]


def serve(worker: Worker, requests: BinaryIO, answers: BinaryIO, stdout: Path) -> None:
    """Answer requests until the parent closes the pipe or a request raises. `stdout`: the file it goes to."""
    for line in requests:
        answer = _answer(worker, line, stdout)
        answers.write(answer.model_dump_json().encode() + b"\n")
        answers.flush()
        if isinstance(answer, worker_messages.Raised):
            return


def _answer(worker: Worker, line: bytes, stdout: Path) -> worker_messages.Answer:
    try:
        answer = worker.handle(worker_messages.REQUESTS.validate_json(line))
        _refuse_printing(stdout)
    except Exception as error:  # noqa: BLE001 - the only place where any exception of a runtime becomes a row
        return worker_messages.Raised(
            message=f"{type(error).__name__}: {error}",
            failure=_kind_of(error),
            missing=isinstance(error, MissingRuntimeError),
        )
    return answer


def _refuse_printing(stdout: Path) -> None:
    """Raise PrintedError if anything was written to stdout: writing would count as inference time."""
    sys.stdout.flush()
    if stdout.stat().st_size:
        with stdout.open(errors="replace") as file:
            start = file.read(_STDOUT_CHARACTERS_SHOWN).strip()
        raise PrintedError(f"the runtime printed to stdout, which would count as inference time: {start!r}")


def _kind_of(error: Exception) -> FailureKind:
    # C++ libraries report a failed allocation as exceptions of their own, with one of these texts.
    if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "allocate memory" in str(error):
        return FailureKind.MEMORY
    return FailureKind.GARBAGE if isinstance(error, PrintedError) else FailureKind.ERROR
