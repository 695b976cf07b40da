"""bench/ and device_profiles/ alone measure on a board: no torch, no models, no export, no scipy."""

import json
import os
import subprocess
import sys
from pathlib import Path

from making.command_line import SHORT

_BLOCKED = ("torch", "torchvision", "models", "export", "edgefit", "scipy", "sklearn", "onnx", "PIL")

# Python runs this file at the start of every process whose path it lies on, workers included.
_SITE = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {_BLOCKED!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Blocker())
"""

_RUN = """
import sys
from pathlib import Path
from bench.run.benchmark import benchmark
from bench.run.request import BenchmarkRequest
from bench.bundle.manifest import read_bundle
from bench.report.files import to_json
from device_profiles.loading import load_profile
class Silent:
    def begin(self, task, total): pass
    def advance(self, steps=1, note=""): pass
    def say(self, sentence): pass
    def say_always(self, sentence): pass
names = ("onnx-fp32", "openvino-fp32")
request = BenchmarkRequest(only=names, quick=True, tool="0", created="now")
report = benchmark(read_bundle(Path(sys.argv[1])), load_profile(sys.argv[2]), request, Silent())
print(to_json(report))
"""


def test_a_bundle_is_measured_with_base_and_runtime_alone(bundle_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(_SITE)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(bundle_folder), str(SHORT)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [row["outcome"]["status"] for row in report["runs"]] == ["completed"] * 4
    assert report["runs"][0]["summary"]["accuracy"]["agreement"] == 1.0
