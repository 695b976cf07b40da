"""The formats, one row each: all that edgefit knows of a format without importing its runtime or exporter."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.variants import Precision
from bench.install_command import install_command
from bench.runtimes.usage import RanAs, Usage

BUILD = "build"
"""The extra without which nothing is exported."""
_CPUS_WITH_HALF = ("asimdhp", "avx512_fp16")


@dataclass(frozen=True)
class FormatRow:
    """What there is to know of a format."""

    title: str
    """Its name in sentences."""
    module: str
    """The module that is its runtime, see protocol.Runtime."""
    needs: str
    """The package that the runtime imports."""
    extra: str
    """The extra of edgefit that installs this package."""
    providers: tuple[str, ...]
    """The runtime's usual names for where it runs. It runs on the first unless the profile says otherwise."""
    provider_pattern: str = r".+"
    """A regular expression that matches every name that a profile may give for where it runs."""
    precisions: tuple[Precision, ...] = tuple(Precision)
    """The precisions in which it can be exported."""
    why_not_all: str = ""
    """Why it cannot be exported in the other precisions; empty if it can be exported in all of them."""
    suffixes: tuple[str, ...] = ()
    """The suffixes of the files of one artifact; the entry file's is the first."""
    exporter: str | None = None
    """The module that is its exporter, see export/exporter.py; None if it cannot be exported."""
    exporter_needs: tuple[str, ...] = ()
    """The packages that the exporter imports."""
    build_extra: str = BUILD
    """The extra of edgefit that installs these packages. A format that needs another extra than `build` is
    exported only where this extra is installed."""
    build_machines: tuple[str, ...] = ()
    """The processors that these packages are offered for, as `platform.machine()` names them; empty: all."""
    build_python: tuple[int, int] = (3, 10)
    """The oldest Python that these packages are offered for."""
    calibrated: tuple[Precision, ...] = ()
    """The precisions that need calibration images. Their arithmetic differs from CPU to CPU."""
    imports_of_required: tuple[str, ...] | None = None
    """Of the packages that `needs` requires, those that its runtime imports: a device gets no others. None:
    all of them."""
    is_channels_first: bool = False
    """Whether every network takes images with the channels first, whatever its file leaves open."""
    is_large: bool = False
    """Whether the runtime takes hundreds of megabytes. A board gets such a runtime only on request."""
    control: str | None = None
    """The file, beside this one, of the control workload that it can run; None if it has none."""
    reads_onnx: bool = False
    """Whether it can run the workloads of calibration, which are ONNX files."""
    half_needs: tuple[str, ...] = ()
    """It computes fp16 artifacts in half precision on CPUs with one of these features; on none if empty."""
    usage: Callable[[RanAs], Usage] | None = None
    """The function that writes how it is used in a few lines, for `choose --ship`."""

    @property
    def is_basic(self) -> bool:
        """Whether everybody who exports can export it: the extra `build` installs all that it needs."""
        return self.build_extra == BUILD

    @property
    def provider(self) -> str:
        """Where it runs unless the profile says otherwise."""
        return self.providers[0]

    @property
    def control_file(self) -> Path | None:
        """Where the control workload's file lies."""
        return None if self.control is None else Path(__file__).with_name(self.control)

    @property
    def install_hint(self) -> str:
        """The command that installs the runtime."""
        return install_command(self.extra)


def _onnx_usage(ran: RanAs) -> Usage:
    """Return how onnxruntime is used."""
    provider = repr(ran.provider)
    return Usage(
        package="onnxruntime" if ran.place == "cpu" else "onnxruntime-gpu",
        imports="import onnxruntime",
        load=(
            "options = onnxruntime.SessionOptions()\n"
            f"options.intra_op_num_threads = {ran.threads}\n"
            f"session = onnxruntime.InferenceSession(str(HERE / ENTRY), options, providers=[{provider}])\n"
            f"assert session.get_providers()[0] == {provider}\n"
            "names = [tensor.name for tensor in session.get_inputs()]"
        ),
        infer="outputs = session.run(None, dict(zip(names, inputs)))",
    )


def _openvino_usage(ran: RanAs) -> Usage:
    """Return how OpenVINO is used. Without the hint it computes fp32 in half precision on some CPUs."""
    hint = "f16" if ran.in_half else "f32"
    # A GPU has no threads, and refuses to be given any.
    threads = f'settings["INFERENCE_NUM_THREADS"] = {ran.threads}\n' if ran.place == "cpu" else ""
    return Usage(
        package="openvino",
        imports="import openvino",
        load=(
            f'settings = {{"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "{hint}"}}\n'
            f"{threads}"
            f"model = openvino.Core().compile_model(HERE / ENTRY, {ran.provider!r}, settings)"
        ),
        infer="outputs = model(inputs)",
    )


def _torchscript_usage(ran: RanAs) -> Usage:
    """Return how torch runs TorchScript. On a CPU it computes weights stored in half in float."""
    device = repr(ran.provider)
    is_in_half = ran.precision is Precision.FP16 and ran.place == "cuda"
    if ran.is_quantised:
        engine, convert = f"torch.backends.quantized.engine = {_engine(ran)}\n", ""
        freeze = "torch.jit.freeze(module)"
    else:
        engine, convert = "", ".half()" if is_in_half else "" if _is_in_double(ran) else ".float()"
        freeze = "torch.jit.optimize_for_inference(torch.jit.freeze(module))"
    to_float = "" if ran.precision is Precision.FP32 else ".float()"
    return Usage(
        package="torch",
        imports="import torch",
        load=(
            f"torch.set_num_threads({ran.threads})\n"
            f"{engine}module = torch.jit.load(HERE / ENTRY, map_location={device}).eval(){convert}\n"
            f"module = {freeze}{'' if ran.gives_one_tensor else _TENSORS_IN}"
        ),
        infer=(
            f"tensors = {_torch_tensors(ran, is_in_half)}\n"
            "with torch.inference_mode():\n"
            f"    answer = module(*[tensor.to({device}) for tensor in tensors])\n"
            f"outputs = [tensor{to_float}.cpu().numpy() for tensor in "
            f"{'[answer]' if ran.gives_one_tensor else 'tensors_in(answer)'}]"
        ),
    )


def _executorch_usage(ran: RanAs) -> Usage:
    """Return how ExecuTorch is used. By itself it takes a thread for each core of the machine."""
    return Usage(
        package="executorch torch",
        imports="import torch\nfrom executorch.extension.pybindings import _C",
        load=(
            f"_C._unsafe_reset_threadpool({ran.threads})\n"
            "program = _C._load_program(str(HERE / ENTRY))\n"
            'method = program.load_method("forward")'
        ),
        infer="outputs = [tensor.numpy() for tensor in method.call(list(map(torch.from_numpy, inputs)))]",
    )


def _ncnn_usage(ran: RanAs) -> Usage:
    """Return how ncnn is used. By default it computes in half where the CPU can, also an fp32 file."""
    in_float = (
        ""
        if ran.precision is Precision.FP16
        else "".join(
            f"net.opt.use_{option} = False\n" for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic")
        )
    )
    return Usage(
        package="ncnn",
        imports="import ncnn",
        load=(
            f"net = ncnn.Net()\nnet.opt.num_threads = {ran.threads}\n{in_float}"
            "assert net.load_param(str(HERE / ENTRY)) == 0\n"
            'assert net.load_model(str((HERE / ENTRY).with_suffix(".bin"))) == 0\n'
            "names = sorted(net.output_names(), key=lambda name: (len(name), name))"
        ),
        infer=(
            "extractor = net.create_extractor()\n"
            "for name, values in zip(net.input_names(), inputs):\n"
            "    extractor.input(name, ncnn.Mat(values, batch_index=0))\n"
            "outputs = [extractor.extract(name)[1].numpy(batch_index=0) for name in names]"
        ),
    )


_TENSORS_IN = """


def tensors_in(answer):
    \"""Yield the tensors of a tuple, list or dictionary of them, to any depth.\"""
    if isinstance(answer, (tuple, list, dict)):
        for part in answer.values() if isinstance(answer, dict) else answer:
            yield from tensors_in(part)
    elif answer is not None:
        yield torch.as_tensor(answer)
"""
# A module in double precision is left as it is.
_CONVERTED = ("float16", "float32")


def _is_in_double(ran: RanAs) -> bool:
    return all(tensor.dtype == "float64" for tensor in ran.inputs)


def _torch_tensors(ran: RanAs, is_in_half: bool) -> str:
    """Return as Python the inputs as tensors, floats in the type that the module computes in."""
    own, convert = ("float16", "half") if is_in_half else ("float32", "float")
    if all(tensor.dtype == own for tensor in ran.inputs if tensor.dtype in _CONVERTED):
        return "map(torch.from_numpy, inputs)"
    converted = f"tensor.{convert}() if tensor.is_floating_point() else tensor"
    return f"[{converted} for tensor in map(torch.from_numpy, inputs)]"


def _engine(ran: RanAs) -> str:
    """Return the engine as Python: the one that a file was made for; else torch's own for x86 or for Arm."""
    if ran.engine is not None:
        return repr(ran.engine)
    return '"x86" if "x86" in torch.backends.quantized.supported_engines else "qnnpack"'


def _litert_usage(ran: RanAs) -> Usage:
    """Return how LiteRT is used. Without a number it uses one thread."""
    return Usage(
        package="ai-edge-litert",
        imports="from ai_edge_litert.interpreter import Interpreter",
        load=(
            f"interpreter = Interpreter(str(HERE / ENTRY), num_threads={ran.threads})\n"
            "interpreter.allocate_tensors()\n"
            'taken = [each["index"] for each in interpreter.get_input_details()]\n'
            'given = [each["index"] for each in interpreter.get_output_details()]'
        ),
        infer=(
            "for index, values in zip(taken, inputs):\n"
            "    interpreter.set_tensor(index, values)\n"
            "interpreter.invoke()\n"
            "outputs = [interpreter.get_tensor(index) for index in given]"
        ),
    )


# Artifacts are exported in this order. OpenVINO reads ONNX files too.
FORMATS = {
    "torchscript": FormatRow(
        title="TorchScript",
        module="bench.runtimes.run_torchscript",
        needs="torch",
        extra="torchscript",
        providers=("cpu", "cuda"),
        provider_pattern=r"(cpu|cuda)(:[0-9]+)?",
        suffixes=(".pt",),
        exporter="export.to_torchscript",
        exporter_needs=("torch",),
        calibrated=(Precision.INT8,),
        is_channels_first=True,
        is_large=True,
        control="control.pt",
        usage=_torchscript_usage,
    ),
    "onnx": FormatRow(
        title="ONNX",
        module="bench.runtimes.run_onnx",
        needs="onnxruntime",
        extra="onnx",
        providers=("CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"),
        provider_pattern=r"[A-Za-z0-9]+ExecutionProvider",
        suffixes=(".onnx",),
        exporter="export.to_onnx",
        exporter_needs=("torch", "onnx", "onnxscript", "onnxruntime"),
        calibrated=(Precision.INT8,),
        control="control.onnx",
        reads_onnx=True,
        usage=_onnx_usage,
    ),
    "openvino": FormatRow(
        title="OpenVINO",
        module="bench.runtimes.run_openvino",
        needs="openvino",
        extra="openvino",
        providers=("CPU", "GPU", "NPU"),
        provider_pattern=r"(CPU|GPU|NPU)(\.[0-9]+)?",
        suffixes=(".xml", ".bin"),
        exporter="export.to_openvino",
        exporter_needs=("torch", "openvino", "nncf"),
        calibrated=(Precision.INT8,),
        control="control.onnx",
        reads_onnx=True,
        half_needs=_CPUS_WITH_HALF,
        usage=_openvino_usage,
    ),
    "litert": FormatRow(
        title="LiteRT",
        module="bench.runtimes.run_litert",
        needs="ai_edge_litert",
        extra="litert",
        providers=("cpu",),
        provider_pattern="cpu",
        suffixes=(".tflite",),
        exporter="export.to_litert",
        exporter_needs=("torch", "litert_torch", "ai_edge_quantizer", "ai_edge_litert"),
        build_extra="build-litert",
        build_machines=("x86_64",),
        build_python=(3, 11),
        calibrated=(Precision.INT8,),
        control="control.tflite",
        usage=_litert_usage,
    ),
    "executorch": FormatRow(
        title="ExecuTorch",
        module="bench.runtimes.run_executorch",
        needs="executorch",
        extra="executorch",
        providers=("cpu",),
        provider_pattern="cpu",
        suffixes=(".pte",),
        exporter="export.to_executorch",
        exporter_needs=("torch", "executorch", "torchao"),
        build_extra="build-executorch",
        calibrated=(Precision.INT8,),
        # They are those of its exporters; one of them is offered as no wheel.
        imports_of_required=(),
        is_large=True,
        half_needs=_CPUS_WITH_HALF,
        usage=_executorch_usage,
    ),
    "ncnn": FormatRow(
        title="ncnn",
        module="bench.runtimes.run_ncnn",
        needs="ncnn",
        extra="ncnn",
        providers=("cpu",),
        provider_pattern="cpu",
        precisions=(Precision.FP32, Precision.FP16),
        why_not_all="ncnn2table and ncnn2int8, which quantise for ncnn, are in no Python package",
        suffixes=(".param", ".bin"),
        exporter="export.to_ncnn",
        exporter_needs=("torch", "onnx", "pnnx", "ncnn"),
        build_extra="build-ncnn",
        is_channels_first=True,
        control="control.param",
        half_needs=("asimdhp",),
        usage=_ncnn_usage,
    ),
}
NULL = FormatRow(
    title="null runtime", module="bench.runtimes.run_null", needs="numpy", extra="", providers=("none",)
)
