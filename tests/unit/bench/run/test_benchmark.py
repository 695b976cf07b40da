"""What is refused before a run starts any worker."""

from pathlib import Path

import pytest
from making.short_benchmark import run

from bench.bundle.manifest import read_bundle
from bench.errors import InputError, MissingRuntimeError
from bench.runtimes.formats import FORMATS, FormatRow


def test_naming_a_variant_whose_runtime_is_missing_is_an_error(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        FORMATS,
        "openvino",
        FormatRow("OpenVINO", "bench.runtimes.run_openvino", "no_such", "openvino", ("CPU",)),
    )

    with pytest.raises(MissingRuntimeError, match=r"openvino-fp32: .*pip install .*\[openvino\]'"):
        run(read_bundle(bundle_folder), only=("openvino-fp32",))


def test_an_unknown_variant_is_refused_before_anything_runs(bundle_folder: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'onnx-fp32'"):
        run(read_bundle(bundle_folder), only=("onnx-fp23",))
