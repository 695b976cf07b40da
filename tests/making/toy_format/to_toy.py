"""The toy format's exporter."""

import torch

from export.exporter import STEM, Exported, ExportRequest


def export(request: ExportRequest) -> Exported:
    entry = request.folder / f"{STEM}.pt2"
    example = tuple(torch.zeros(tensor.sizes) for tensor in request.inputs)
    torch.export.save(torch.export.export(request.network, example), entry)
    return Exported(entry, f"torch {torch.__version__}")
