"""The model files that edgefit takes, by suffix. It imports nothing: the help of commands shows it."""

FORMAT_TITLES = {
    ".onnx": "ONNX",
    ".xml": "OpenVINO",
    ".pt": "TorchScript",
    ".tflite": "LiteRT",
    ".pte": "ExecuTorch",
    ".param": "ncnn",
}
"""From the suffix of the file that a runtime loads to the format's name in sentences."""
SUFFIXES = tuple(FORMAT_TITLES)


def _listed(names: tuple[str, ...], word: str) -> str:
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


NAMED_SUFFIXES = _listed(tuple(f"{title} {suffix}" for suffix, title in FORMAT_TITLES.items()), "or")
"""What the help of a command says of them."""
TAKEN = f"edgefit takes {_listed(tuple(f'{t} ({s})' for s, t in FORMAT_TITLES.items()), 'and')}"
"""What the refusal of another file says."""
