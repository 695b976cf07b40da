"""How an int8 artifact was made, as the manifest holds it. It knows words and figures, and makes nothing."""

from enum import Enum

from pydantic import Field

from bench.record import Record


class RangeMethod(Enum):
    """How the range of an activation is found on the calibration images; each exporter has its own for it.

    `min-max` holds every value; `histogram` leaves rare ones out where that makes the error smaller.
    """

    MIN_MAX = "min-max"
    HISTOGRAM = "histogram"


class Recipe(Record):
    """One way to make a network int8.

    `corrected`: channels were given like ranges, weights were rounded so that a layer's output changes least,
    and channels got back the mean and the size that rounding took; `qat`: the weights were then trained on
    with rounding in the loop; `excluded_modules`: modules that are not quantised. `library_default`: none of
    this, but what the library that makes the file does by itself.
    """

    ranges: RangeMethod = Field(default=RangeMethod.MIN_MAX, strict=False)
    corrected: bool = True
    qat: bool = False
    excluded_modules: tuple[str, ...] = ()
    library_default: bool = False

    @property
    def words(self) -> str:
        """What was done, for a manifest's `method`."""
        if self.library_default:
            return "the library's own defaults"
        corrected = (
            ", channels equalised, weights rounded with error feedback, means and sizes of channels corrected"
            if self.corrected
            else ""
        )
        return f"{self.ranges.value} ranges{corrected}{', weights trained on' if self.qat else ''}"


class HeldOut(Record):
    """An artifact's answers against the fp32 network's on images that are neither calibration nor test."""

    agreement: float = Field(ge=0, le=1)
    retention: float = Field(ge=0)
    sqnr_db: float | None


class Attempt(Record):
    """A recipe that was tried, how it did, and the share of the multiply-accumulates it leaves in float."""

    recipe: Recipe
    share_in_fp32: float = Field(ge=0, le=1)
    held_out: HeldOut
    seconds: float = Field(ge=0)


class ExcludedModule(Record):
    """A module that is not quantised, and why: its share of the network's multiply-accumulates, and of the
    error that int8 adds to the logits when everything is quantised (predicted, see export/quantisation).
    """

    module: str
    share_of_macs: float = Field(ge=0, le=1)
    share_of_error: float = Field(ge=0)


class Search(Record):
    """The search for a recipe: what was asked for, what was tried in that order, and which one was taken.

    `reached`: whether it keeps `min_retention`, and `min_agreement` at the lower end of its interval, on the
    `images` held out, with `min_sqnr_db` of signal (null in schema 1, which judged the share itself).
    `library_default_failed`: why the library's own default could not be tried, null if it could.
    """

    min_retention: float = Field(ge=0, le=1)
    min_agreement: float = Field(ge=0, le=1)
    min_sqnr_db: float | None = None
    library_default_failed: str | None = None
    images: int = Field(ge=1)
    attempts: tuple[Attempt, ...] = Field(min_length=1)
    taken: int = Field(ge=0)
    reached: bool
    excluded_modules: tuple[ExcludedModule, ...]
    seconds: float = Field(ge=0)

    @property
    def best(self) -> Attempt:
        """The attempt whose artifact was kept."""
        return self.attempts[self.taken]
