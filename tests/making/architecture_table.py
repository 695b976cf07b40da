"""The table of architectures in docs/commands/finetune.md, made from their rows."""

from models.architecture import Architecture
from models.architectures import ARCHITECTURES
from models.weights_kind import WeightsKind


def architecture_table() -> str:
    """Return the table as Markdown; `PYTHONPATH=tests python -m making.architecture_table` prints it."""
    return "\n".join(
        [
            "| `--arch` | parameters | feature blocks | trained by default | with `--weights none` |",
            "|---|---|---|---|---|",
            *map(_line, ARCHITECTURES.values()),
        ]
    )


def _line(row: Architecture) -> str:
    parameters = sum(value.numel() for value in row.outline().parameters())
    imagenet, none = row.unfreeze[WeightsKind.IMAGENET], row.unfreeze[WeightsKind.NONE]
    return f"| `{row.name}` | {parameters / 1e6:.1f} M | {row.blocks} | {imagenet} | {none} |"


if __name__ == "__main__":
    print(architecture_table())
