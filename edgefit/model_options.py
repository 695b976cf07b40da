"""The options of a command that apply to model files alone: their inputs, and the output that is judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgefit.options import parse_shapes

if TYPE_CHECKING:
    from bench.run.model_set import ModelSet, Shapes


@dataclass(frozen=True)
class ModelInputOptions:
    """The options that apply to model files alone."""

    shapes: "Shapes"
    """What --shape states, by the inputs' names."""
    data: str | None
    """See --data."""
    preprocess: str | None
    """See --preprocess."""
    judged_output: str | None
    """See --output."""

    @classmethod
    def of(
        cls,
        shape: Sequence[str] | None,
        data: str | None,
        preprocess: str | None,
        judged_output: str | None,
    ) -> "ModelInputOptions":
        """Read the options as they were typed; raises BadParameter for a shape that is none."""
        return cls(parse_shapes(shape or ()), data, preprocess, judged_output)

    def open(self, paths: Sequence[Path]) -> "ModelSet":
        """Open model files with these inputs, as a context manager. For its errors see ModelSet."""
        from bench.run.model_inputs import inputs_source
        from bench.run.model_set import ModelSet

        source = inputs_source(self.data, self.preprocess)
        return ModelSet(paths, self.shapes, source, self.judged_output)

    def refuse_for_bundle(self) -> None:
        """Raise BadParameter for the first of these options that is given."""
        given = (
            ("--shape", self.shapes, "has its shapes"),
            ("--data", self.data, "has its evaluation images"),
            ("--preprocess", self.preprocess, "has its preprocessing"),
            ("--output", self.judged_output, "has one output"),
        )
        for option, value, why in given:
            if value:
                raise typer.BadParameter(f"it applies to model files; a bundle {why}", param_hint=option)
