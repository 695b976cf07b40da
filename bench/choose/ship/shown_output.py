"""The lines of `classify.py` that read the judged output and print what it says. Pure."""

from dataclasses import dataclass

from bench.bundle.signature import Tensor
from bench.bundle.source_record import OutputRecord
from bench.errors import InputError

_SCORES_AXES = 2
_SOFTMAX = "chances = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()"
# Unlike 1 / (1 + exp(-x)), this cannot overflow.
_SIGMOID = "(1 + np.tanh(scores / 2)) / 2"
_BEST = """\
best = int(chances.argmax())
print(f"{name} ({{chances[best]:.3f}})")"""
_EACH = """\
for index, chance in enumerate(chances):
    print(f"{name} {{chance:.3f}}")"""
_VALUES = """\
print(f"{values.dtype} {list(values.shape)}")
if values.size:
    print(f"from {values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}")
if len(sys.argv) == 3:
    np.save(sys.argv[2], values)"""


@dataclass(frozen=True)
class ShownOutput:
    """What the judged output of an artifact holds."""

    output: OutputRecord
    """The output, as the source has it."""
    outputs: int
    """How many outputs there are."""
    tensor: Tensor | None
    """The output as the artifact has it; None where its manifest does not say."""
    values: int
    """How many scores it has for one input."""
    names: tuple[str, ...]
    """The names of its classes or labels; empty where nobody named them."""

    def __post_init__(self) -> None:
        if self.names and self.output.kind != "values" and len(self.names) != self.count:
            raise InputError(
                f"the bundle cannot be shipped: it names {len(self.names)} classes, and its output "
                f"'{self.output.name}' has {self.values} scores; export the bundle again"
            )

    @property
    def count(self) -> int:
        """How many classes or labels there are: a single score is for two classes."""
        return 2 if self._is_one_score else self.values

    @property
    def _is_one_score(self) -> bool:
        return self.output.kind == "classes" and self.values == 1

    @property
    def question(self) -> str:
        """What `classify.py` does, for its first line."""
        match self.output.kind:
            case "classes":
                return "Say which class {input} is"
            case "labels":
                return "Say how probable each label of {input} is"
            case "values":
                return "Show the values for {input}"

    @property
    def constants(self) -> list[str]:
        """The constants that the lines need."""
        lines = [] if not self.names or self.output.kind == "values" else [_listed("CLASSES", self.names)]
        if self.outputs > 1:
            lines.append(
                f"OUTPUT = {self.output.index}  # {self.output.name!r}, one of {self.outputs} outputs"
            )
        return lines

    @property
    def lines(self) -> list[str]:
        """The lines that print what `outputs` say."""
        output = "outputs[OUTPUT]" if self.outputs > 1 else "outputs[0]"
        if self.output.kind == "values":
            return [f"values = {self._floats(f'np.asarray({output})')}", _VALUES]
        return [*self._chances(self._scores(output)), self._printed]

    def _scores(self, output: str) -> str:
        """Return the scores of the first item of a batch, as Python."""
        if self.tensor is None or (self.tensor.shape is not None and len(self.tensor.shape) == _SCORES_AXES):
            scores = f"{output}[0]"
        else:
            scores = f"np.ravel(np.atleast_1d({output})[0])"
        is_usual = self.tensor is None or self.tensor.dtype == "float32"
        return scores if is_usual else self._floats(f"{scores}.astype(np.float32)")

    def _floats(self, integers: str) -> str:
        """Return what integers stand for, as Python; what stands for nothing stays as it is."""
        how = self.output.quantisation
        if how is None:
            return integers
        return f"(({integers} - {float(how.zero_point)}) * {how.scale!r}).astype(np.float32)"

    def _chances(self, scores: str) -> list[str]:
        """Return the lines that make probabilities of scores, as far as the activation has not done it."""
        activation = self.output.activation
        if self.output.kind == "labels" or self._is_one_score:
            name = "chance" if self._is_one_score else "chances"
            lines = [f"{name} = {scores}"]
            if activation != "sigmoid":
                lines = [f"scores = {scores}", f"{name} = {_SIGMOID}"]
            return [*lines, "chances = np.append(1 - chance, chance)"] if self._is_one_score else lines
        return [f"scores = {scores}", _SOFTMAX] if activation == "logits" else [f"chances = {scores}"]

    @property
    def _printed(self) -> str:
        template, index = (_EACH, "index") if self.output.kind == "labels" else (_BEST, "best")
        noun = "label" if self.output.kind == "labels" else "class"
        return template.format(name=f"{{CLASSES[{index}]}}" if self.names else f"{noun} {{{index}}}")


def _listed(name: str, values: tuple[str, ...], width: int = 110) -> str:
    """Return a list as Python; a long one takes several lines."""
    line = f"{name} = {list(values)}"
    if len(line) <= width:
        return line
    lines = [""]
    for value in map(repr, values):
        if len(lines[-1]) + len(value) + 2 > width - 4:
            lines.append("")
        lines[-1] += f"{value}, "
    return "\n".join([f"{name} = [", *(f"    {line.rstrip()}" for line in lines if line), "]"])
