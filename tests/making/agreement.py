"""On how many images of its pack an artifact gives the reference's class: `agreement.py BUNDLE VARIANT`.

Run as a process of its own, since no two runtimes are loaded into one process, as in edgefit itself.
"""

import subprocess
import sys
from pathlib import Path

from bench.bundle.manifest import read_bundle
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions


def agreement(bundle: Path, variant: str) -> int:
    """Return that number, found in a fresh process."""
    command = [sys.executable, __file__, str(bundle), variant]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1])


def _agreeing(folder: Path, variant: str) -> int:
    bundle = read_bundle(folder)
    (artifact,) = bundle.select([variant])
    config = RunConfig(threads=1, provider=row_of(artifact.format).provider)
    options = LoadOptions(config, precision=artifact.precision, engine=artifact.engine, exact=True)
    session = load_runtime(artifact.format).load(bundle.folder / artifact.entry, options)
    pack = bundle.pack()
    return sum(
        int(session.infer(pack.inputs(index))[0].argmax() == pack.reference_logits[index].argmax())
        for index in range(len(pack))
    )


if __name__ == "__main__":
    print(_agreeing(Path(sys.argv[1]), sys.argv[2]))
