"""Artifacts of schema 1 answer as their manifest says."""

import pytest
from making.agreement import agreement
from making.repository import ROOT

from bench.bundle.manifest import read_bundle

BUNDLE = ROOT / "tests" / "data" / "schema1" / "bundle"


@pytest.mark.parametrize("name", ["torchscript", "onnx", "openvino"])
def test_its_artifacts_answer_as_their_manifest_says(name: str) -> None:
    assert agreement(BUNDLE, f"{name}-int8") >= len(read_bundle(BUNDLE).pack()) - 1
