"""What a provider really leaves to another one, in a session of its own process."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from making.tiny_bundle import entry_of

from bench.errors import FellBackError
from bench.run_config import RunConfig
from bench.runtimes import run_onnx
from bench.runtimes.protocol import LoadOptions


def test_a_provider_that_really_leaves_the_network_to_another_is_found_out(bundle_folder: Path) -> None:
    # onnxruntime's Azure provider is in every build, and runs nothing but calls to a service.
    if (azure := "AzureExecutionProvider") not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has no Azure provider")
    session = run_onnx.load(
        entry_of(bundle_folder, "onnx-fp32"), LoadOptions(RunConfig(threads=1, provider=azure))
    )

    with pytest.raises(FellBackError, match="were to run on AzureExecutionProvider, but ran on CPU"):
        session.executed([np.zeros((1, 3, 32, 32), dtype=np.float32)])
