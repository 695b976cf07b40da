"""LiteRT files for tests: the control workload's, and changes of it."""

from pathlib import Path

from bench.runtimes.formats import FORMATS


def control() -> Path:
    file = FORMATS["litert"].control_file
    assert file is not None
    return file


def with_open_batch(path: Path) -> Path:
    """Write the control workload with the size of its batch left open."""
    from export.tflite_model import read_tflite

    model = read_tflite(control().read_bytes())
    for tensor in model.graph.tensors:
        sizes = [int(size) for size in tensor.shape]
        is_constant = model.model.buffers[tensor.buffer].data is not None
        if sizes[:1] == [1] and len(sizes) in (2, 4) and not is_constant:
            tensor.shapeSignature = [-1, *sizes[1:]]
    path.write_bytes(model.content())
    return path
