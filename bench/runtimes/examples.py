"""How each runtime is used in a few lines, for the example that goes out with a picked artifact.

It imports no runtime: these are texts, in which bench/choose/ship fills the braces.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """The lines that import a runtime, load `HERE / ENTRY`, and infer.

    `package`: what installs it, `gpu_package` for a GPU, None if it is the same. `infer` sets `logits`
    [classes] from `batch`, float32 [1, 3, side, side] in [0, 1].
    """

    package: str
    imports: str
    load: str
    infer: str
    gpu_package: str | None = None


ONNX = Example(
    package="onnxruntime",
    gpu_package="onnxruntime-gpu",
    imports="import onnxruntime",
    load=(
        "options = onnxruntime.SessionOptions()\n"
        "options.intra_op_num_threads = {threads}\n"
        "session = onnxruntime.InferenceSession(str(HERE / ENTRY), options, providers=[{provider!r}])\n"
        "assert session.get_providers()[0] == {provider!r}"
    ),
    infer="logits = session.run(None, {{session.get_inputs()[0].name: batch}})[0][0]",
)
# Without the hint OpenVINO computes fp32 in half precision on some CPUs.
OPENVINO = Example(
    package="openvino",
    imports="import openvino",
    load=(
        'settings = {{"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": {hint!r}}}\n'
        "{threads_line}"
        "model = openvino.Core().compile_model(HERE / ENTRY, {provider!r}, settings)"
    ),
    infer="logits = model(batch)[0][0]",
)
# Weights that are stored in half are computed in float on a CPU; int8 needs the engine it was made for.
TORCHSCRIPT = Example(
    package="torch",
    imports="import torch",
    load=(
        "torch.set_num_threads({threads})\n"
        "{engine_line}module = torch.jit.load(HERE / ENTRY, map_location={provider!r}).eval(){to_float}\n"
        "module = {freeze}"
    ),
    infer=(
        "with torch.inference_mode():\n"
        "        logits = module(torch.from_numpy(batch).to({provider!r}){half})[0].float().cpu().numpy()"
    ),
)
