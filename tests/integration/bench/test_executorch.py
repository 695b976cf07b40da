"""ExecuTorch's own runtime, where it is installed: what it runs, on how many threads, and what it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making.command_line import SHORTLY, edgefit
from making.executorch_files import SIDE, images, tiny_network
from making.repository import ROOT

from bench.bundle.variants import Precision
from bench.errors import MissingRuntimeError
from bench.report.files import read_report
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions, Session
from bench.runtimes.usage import RanAs
from bench.statistics.precision import share_of_macs

pytest.importorskip("executorch")
STORED = ROOT / "tests" / "data" / "executorch"
IMAGE = np.repeat(images()[:1, None].astype(np.float32) / 255, 3, axis=1)


def load(entry: Path, threads: int = 1) -> Session:
    return load_runtime("executorch").load(entry, LoadOptions(RunConfig(threads=threads, provider="cpu")))


@pytest.mark.parametrize("precision", Precision)
def test_what_ran_is_proven_and_gives_the_networks_scores(precision: Precision) -> None:
    import torch

    session = load(STORED / f"{precision.value}.pte")
    (scores,) = session.infer([IMAGE])

    assert share_of_macs(session.executed([IMAGE]).operators) == {precision.value: 1.0}
    with torch.inference_mode():
        expected = tiny_network()(torch.from_numpy(IMAGE)).numpy()
    assert np.allclose(scores, expected, atol={"fp32": 1e-5, "fp16": 2e-3, "int8": 2e-2}[precision.value])


def test_outputs_are_the_callers_own() -> None:
    session = load(STORED / "fp32.pte")
    (first,) = session.infer([IMAGE])
    kept = first.copy()

    session.infer([IMAGE * 0])

    assert np.array_equal(first, kept)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_threads_are_those_of_the_run(threads: int) -> None:
    from executorch.extension.pybindings import _C

    load(STORED / "fp32.pte", threads)

    assert _C._threadpool_get_thread_count() == threads


def test_a_program_for_a_backend_that_is_not_here_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "model.pte"
    foreign.write_bytes((STORED / "fp32.pte").read_bytes().replace(b"XnnpackBackend", b"UnknownBackend"))

    with pytest.raises(MissingRuntimeError, match="needs the backend 'UnknownBackend', which executorch 1"):
        load(foreign)


def test_a_program_with_an_operator_that_the_runtime_lacks_is_refused_with_what_to_do(tmp_path: Path) -> None:
    foreign = tmp_path / "model.pte"
    foreign.write_bytes((STORED / "fp32.pte").read_bytes().replace(b"aten::mean", b"aten::lost"))

    with pytest.raises(Exception, match=r"cannot load the program .*needs an operator .* export it again"):
        load(foreign)


@pytest.mark.slow
def test_a_damaged_program_at_which_the_runtime_aborts_is_a_failed_row(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pte"
    content = bytearray((STORED / "fp32.pte").read_bytes())
    content[2689] = 169  # XNNPACK's graph: the runtime ends its process, instead of raising
    damaged.write_bytes(content)

    done = edgefit("bench", damaged, STORED / "fp32.pte", *SHORTLY, "--out", tmp_path / "report.json")

    assert "Traceback" not in done.stderr
    failed, completed, *_ = read_report(tmp_path / "report.json").runs
    assert (failed.status, completed.status) == ("failed", "completed")
    assert "died of SIGABRT" in str(failed.reason)


def test_the_example_of_ship_gives_what_bench_measured() -> None:
    write = FORMATS["executorch"].usage
    assert write is not None
    description = load_runtime("executorch").describe(STORED / "int8.pte")
    usage = write(
        RanAs(
            provider="cpu",
            place="cpu",
            threads=1,
            precision=Precision.INT8,
            engine=None,
            in_half=False,
            inputs=description.signature.inputs,
            gives_one_tensor=True,
        )
    )
    names: dict[str, Any] = {"HERE": STORED, "ENTRY": "int8.pte", "inputs": [IMAGE]}
    exec("\n".join([usage.imports, usage.load, usage.infer]), names)

    (by_example,) = names["outputs"]
    assert np.array_equal(by_example, load(STORED / "int8.pte").infer([IMAGE])[0])
    assert description.signature.inputs[0].shape == (1, 3, SIDE, SIDE)
