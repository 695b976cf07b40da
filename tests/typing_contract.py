"""Runtimes and exporters are modules. mypy checks here that each one is what its Protocol says.

It is no test: `make test` has mypy read it. tests/unit/test_drift.py holds the lists complete.
"""

from making.toy_format import run_toy, to_toy

from bench.runtimes import (
    run_executorch,
    run_litert,
    run_ncnn,
    run_null,
    run_onnx,
    run_openvino,
    run_torchscript,
)
from bench.runtimes.protocol import Runtime
from export import to_executorch, to_litert, to_ncnn, to_onnx, to_openvino, to_torchscript
from export.exporter import Exporter

RUNTIMES: tuple[Runtime, ...] = (
    run_executorch,
    run_litert,
    run_ncnn,
    run_null,
    run_onnx,
    run_openvino,
    run_torchscript,
    run_toy,
)
EXPORTERS: tuple[Exporter, ...] = (
    to_executorch,
    to_litert,
    to_ncnn,
    to_onnx,
    to_openvino,
    to_torchscript,
    to_toy,
)
