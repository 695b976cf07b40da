"""How an int8 artifact was made, as the manifest records it.

It knows names and figures, and makes nothing.
"""

from enum import Enum

from pydantic import Field, model_validator

from bench.record import Record


class RangeMethod(Enum):
    """How an exporter finds the range of an activation on the calibration images."""

    MIN_MAX = "min-max"
    """The range holds every value."""
    HISTOGRAM = "histogram"
    """The range clips rare values where that makes the quantisation error smaller."""


class Recipe(Record):
    """One way to quantise a network to int8."""

    ranges: RangeMethod = Field(default=RangeMethod.MIN_MAX, strict=False)
    """How the ranges of activations are found."""
    corrected: bool = True
    """Whether the recipe uses cross-layer equalisation, GPTQ rounding, and bias and scale correction."""
    qat: bool = False
    """Whether quantisation-aware training follows."""
    excluded_modules: tuple[str, ...] = ()
    """Modules that are not quantised: they are kept in fp32."""
    library_default: bool = False
    """Whether the quantisation library's own defaults are used instead of everything above."""

    @property
    def description(self) -> str:
        """The steps of the recipe, for a manifest's `method`."""
        if self.library_default:
            return "the library's own defaults"
        steps = [f"{self.ranges.value} ranges"]
        if self.corrected:
            steps += ["cross-layer equalisation", "GPTQ rounding", "bias and scale correction"]
        if self.qat:
            steps.append("quantisation-aware training")
        return ", ".join(steps)


class LostClass(Record):
    """A class of which an artifact recognises significantly fewer held-out images than the source."""

    name: str
    """The class's name; its number where nobody named it."""
    images: int = Field(ge=1)
    """The number of its held-out images."""
    recall: float = Field(ge=0, le=1)
    """The share of them that the artifact classifies right."""
    reference_recall: float = Field(ge=0, le=1)
    """The share of them that the source classifies right."""

    @property
    def loss(self) -> float:
        """How much of the class's recall is lost."""
        return self.reference_recall - self.recall


class HeldOut(Record):
    """An artifact's outputs compared with the fp32 network's on the held-out images.

    Held-out images are neither calibration images nor test images.
    """

    agreement: float | None = Field(ge=0, le=1)
    """Top-1 agreement: the share of images for which both predict the same class; null where the output holds
    no classes."""
    retention: float | None = Field(ge=0)
    """The artifact's accuracy divided by the fp32 network's; null without labels."""
    sqnr_db: float | None
    """The signal to quantisation noise ratio of the logits; null if there is no error at all."""
    lost_classes: tuple[LostClass, ...] = ()
    """The classes that lose recall by more than chance, the positive one first."""


class Attempt(Record):
    """One recipe that was tried, and its result."""

    recipe: Recipe
    """The recipe."""
    share_in_fp32: float = Field(ge=0, le=1)
    """The share of the network's multiply-accumulates in fp32, by the recipe or the format."""
    share_in_int8: float | None = Field(default=None, ge=0, le=1)
    """The share of the multiply-accumulates that its runtime executed in int8; null where it is not known."""
    held_out: HeldOut
    """The artifact's result on the held-out images."""
    seconds: float = Field(ge=0)
    """How long it took to make the artifact and to run it."""


class FailedAttempt(Record):
    """A recipe that the search passed over, because its artifact failed."""

    recipe: Recipe
    """The recipe."""
    message: str
    """Why: it could not be made or run, or its outputs are not finite."""


class ExcludedModule(Record):
    """A module that is not quantised, and the reason."""

    module: str
    """The module's name in the network."""
    share_of_macs: float = Field(ge=0, le=1)
    """Its share of the network's multiply-accumulates."""
    share_of_error: float | None = Field(ge=0)
    """Its share of the error that int8 would add to the logits if every module were quantised (predicted).

    Null where it could not be measured.
    """


class Search(Record):
    """The search for a recipe: its goal, the recipes that were tried, and the choice."""

    min_retention: float = Field(ge=0, le=1)
    """The retention that was requested."""
    min_agreement: float = Field(ge=0, le=1)
    """What the lower end of the agreement's 95 % interval must reach; in schema 1, the agreement itself."""
    min_sqnr_db: float | None = None
    """The SQNR that the logits must reach; null in schema 1, which had no such limit."""
    library_default_error: str | None = None
    """Why the library's own defaults could not be tried; null if they were tried."""
    images: int = Field(ge=1)
    """How many held-out images the recipes were compared on."""
    attempts: tuple[Attempt, ...] = Field(min_length=1)
    """The recipes that were tried, in order."""
    failed: tuple[FailedAttempt, ...] = ()
    """The recipes that were passed over, because their artifacts failed."""
    untried: int = Field(default=0, ge=0)
    """How many recipes were not tried, because the search had used its CPU time without reaching the goal."""
    chosen: int = Field(ge=0)
    """The index in `attempts` of the recipe whose artifact is in the bundle."""
    meets_goal: bool
    """Whether the chosen recipe reaches all three limits, and loses no class."""
    excluded_modules: tuple[ExcludedModule, ...]
    """The modules that the chosen recipe excludes, each with the reason."""
    seconds: float = Field(ge=0)
    """How long the whole search took."""

    @model_validator(mode="after")
    def _chose_an_attempt(self) -> "Search":
        if self.chosen >= len(self.attempts):
            raise ValueError(f"'chosen' is {self.chosen}, but there are {len(self.attempts)} attempts")
        return self

    @property
    def best(self) -> Attempt:
        """The attempt that was chosen."""
        return self.attempts[self.chosen]
