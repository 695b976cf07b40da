"""What timm calls the layers of a network that torchvision has too. It imports neither of them."""

_STAGES = (1, 2, 3, 4, 3, 3, 1)
"""How many blocks each stage of MobileNetV2 has."""
# torchvision puts a convolution, its batch norm and its activation into one module, but for the last pair.
_FIRST_BLOCK = {"conv_dw": "0.0", "bn1": "0.1", "conv_pw": "1", "bn2": "2"}
_BLOCK = {"conv_pw": "0.0", "bn1": "0.1", "conv_dw": "1.0", "bn2": "1.1", "conv_pwl": "2", "bn3": "3"}
_ENDS = {"conv_stem": "0.0", "bn1": "0.1", "conv_head": "18.0", "bn2": "18.1"}


def mobilenet_v2_names() -> tuple[tuple[str, str], ...]:
    """Return the beginning of each name of timm's mobilenetv2_100, and torchvision's in its place.

    The classifier is left out: weights that come from timm have a head of their own classes.
    """
    blocks = [(stage, block) for stage, count in enumerate(_STAGES) for block in range(count)]
    inner = [
        (f"blocks.{stage}.{block}.{name}.", f"features.{index}.conv.{own}.")
        for index, (stage, block) in enumerate(blocks, start=1)
        for name, own in (_FIRST_BLOCK if index == 1 else _BLOCK).items()
    ]
    return (*((f"{name}.", f"features.{own}.") for name, own in _ENDS.items()), *inner)
