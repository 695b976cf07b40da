"""An exporter that dies natively at fp16, half-way through, and works at every other precision."""

import os
import signal
import sys

from bench.bundle.variants import Precision
from export.exporter import Exported, ExportRequest
from export.to_torchscript import export as export_torchscript


def export(request: ExportRequest) -> Exported:
    if request.precision is Precision.FP16:
        (request.folder / "half-written").write_text("x")
        print("about to fall over", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    return export_torchscript(request)
