"""The toy format's exporter."""

import torch

from export.exporter import STEM, Exported, ExportRequest


def export(request: ExportRequest) -> Exported:
    entry = request.folder / f"{STEM}.pt2"
    example = torch.zeros(1, 3, request.image_size, request.image_size)
    torch.export.save(torch.export.export(request.network, (example,)), entry)
    return Exported(entry, f"torch {torch.__version__}")
