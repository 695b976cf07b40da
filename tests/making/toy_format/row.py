"""A format that edgefit does not have, added by its row: programs of torch.export, run by torch."""

from bench.bundle.variants import Precision
from bench.runtimes.formats import FormatRow
from bench.runtimes.usage import RanAs, Usage


def usage(ran: RanAs) -> Usage:
    return Usage(
        package="torch",
        imports="import torch",
        load=f"torch.set_num_threads({ran.threads})\nprogram = torch.export.load(HERE / ENTRY).module()",
        infer="with torch.inference_mode():\n    outputs = [program(torch.from_numpy(inputs[0])).numpy()]",
    )


NAME = "toy"
ROW = FormatRow(
    title="toy program",
    module="making.toy_format.run_toy",
    needs="torch",
    extra="torchscript",
    providers=("cpu",),
    provider_pattern="cpu",
    precisions=(Precision.FP32,),
    suffixes=(".pt2",),
    exporter="making.toy_format.to_toy",
    exporter_needs=("torch",),
    is_large=True,
    usage=usage,
)
