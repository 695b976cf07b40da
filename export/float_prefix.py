"""The first layers of a network, which int8 leaves in float. It knows modules by name, and no format.

Quantisation is hardest where the first depthwise convolution meets few channels of very different range, and
an operator in float amid quantised ones is quantised again by onnxruntime when it loads (its optimiser
`WeightBiasQuantization` acts between a DequantizeLinear and a QuantizeLinear). Layers left in float from the
input on have no DequantizeLinear before them, so the file means the same under any runtime's default options.
"""

from torch import nn


def first_layers(network: nn.Module, convolutions: int) -> tuple[str, ...]:
    """Return the names of the leaf modules that come before convolution number `convolutions` + 1."""
    names: list[str] = []
    seen = 0
    for name, module in network.named_modules():
        if next(module.children(), None) is not None:
            continue
        seen += isinstance(module, nn.Conv2d)
        if seen > convolutions:
            break
        names.append(name)
    return tuple(names)


def first_convolutions(network: nn.Module, count: int) -> tuple[str, ...]:
    """Return the names of the first `count` convolutions."""
    modules = dict(network.named_modules())
    return tuple(name for name in first_layers(network, count) if isinstance(modules[name], nn.Conv2d))
