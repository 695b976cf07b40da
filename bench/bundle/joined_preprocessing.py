"""Joins what several sources say about preprocessing into one, part by part. Pure; it knows no file.

A fixed shape is a fact, and goes before what is said of it. What no source states is listed as missing; three
channels alone are taken for RGB.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import eq
from typing import Generic, TypeVar

from bench.bundle.input_arrays import Layout, gives_values_of
from bench.bundle.input_preprocessing import ChannelOrder, Preprocess
from bench.bundle.quantisation import Quantisation
from bench.bundle.stated_preprocessing import PRESETS, Geometry, Numbers, Stated, Unsupported
from user_files.decoding import FULL_WHITE

THE_SHAPE = "the shape"
THE_USUAL_ORDER = "the usual order"
THE_DEFAULT = "edgefit's default"
_GEOMETRY = ("resize", "crop_pct", "interpolation", "antialias", "pad_value")
_NUMBERS = ("scale", "mean", "std")
WHITE = "sixteen_bit_white"

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ImageInput:
    """A network's input as its file states it."""

    shape: tuple[int | str | None, ...]
    """The axes; text, None or a number below 1 is symbolic."""
    dtype: str
    """The type of values by numpy's names."""
    layout: Layout | None
    """The order of batch, channels, height and width; None if it is not known, or the input is no image."""
    quantisation: Quantisation | None = None
    """How its integers stand for floats; None where they do not."""

    @property
    def channels(self) -> int | None:
        """The number of channels, if it is fixed."""
        return None if self.layout is None else self._axis(self.layout.index("C"))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, if both are fixed."""
        if self.layout is None:
            return None
        height, width = (self._axis(self.layout.index(letter)) for letter in "HW")
        return None if height is None or width is None else (height, width)

    @property
    def takes_images(self) -> bool:
        """Whether a grey or coloured image can be its input."""
        return self.layout is not None and len(self.shape) == 4 and self.channels in (None, 1, 3)

    def _axis(self, index: int) -> int | None:
        length = self.shape[index] if index < len(self.shape) else None
        return length if isinstance(length, int) and length > 0 else None


@dataclass(frozen=True)
class FieldOrigin:
    """Where the value of one key came from."""

    field: str
    """The key of Preprocess."""
    origin: str
    """The source: a file's name, `metadata in the file`, `the shape`, an option."""


@dataclass(frozen=True)
class Found:
    """What the sources say together."""

    preprocess: Preprocess | None
    """The preprocessing; None if something is missing, or if the input takes no image."""
    origins: tuple[FieldOrigin, ...]
    """Where each key came from, also if others are missing."""
    missing: tuple[str, ...]
    """The keys that no source states."""
    labels: tuple[str, ...] | None
    """The names of the classes, if a source states them."""
    labels_origin: str | None
    """Where they came from."""
    conflicts: tuple[str, ...]
    """What contradicts a value that is used, or cannot be followed: sentences."""
    size: tuple[int, int] | None = None
    """Height and width, also if another part is missing."""
    geometry: Geometry | None = None
    """What becomes of pixels, also if another part is missing."""
    numbers: Numbers | None = None
    """What becomes of values, also if another part is missing."""
    channels: ChannelOrder | None = None
    """The order of the channels, also if another part is missing."""
    white: int | None = None
    """The value that counts as white in an image of 16 bits; None if no source states it."""

    def origin_of(self, field: str) -> str | None:
        """Return where a key of Preprocess came from; None if it is missing."""
        return next((origin.origin for origin in self.origins if origin.field == field), None)


@dataclass(frozen=True)
class _Choice(Generic[_Value]):
    """One part, from the first source that states it."""

    value: _Value | None = None
    """The part; None if no source states it, or the first one states what edgefit cannot do."""
    origin: str = ""
    """The first source."""
    conflicts: tuple[str, ...] = ()
    """What later sources contradict."""
    defaulted: tuple[str, ...] = ()
    """The keys that the source leaves to defaults."""

    def origins(self, fields: Sequence[str]) -> tuple[FieldOrigin, ...]:
        """Return the origin of each key that this part gives a value."""
        if self.value is None:
            return ()
        return tuple(
            FieldOrigin(field, THE_DEFAULT if field in self.defaulted else self.origin) for field in fields
        )

    def missing(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return the keys that this part leaves without a value."""
        return tuple(fields) if self.value is None else ()


def _choose(
    name: str,
    sources: Sequence[Stated],
    part: Callable[[Stated], _Value | Unsupported | None],
    is_like: Callable[[_Value, _Value], bool],
    words: Callable[[_Value], str],
) -> _Choice[_Value]:
    given = [(source, value) for source in sources if (value := part(source)) is not None]
    if not given:
        return _Choice()
    first, chosen = given[0]
    if isinstance(chosen, Unsupported):
        sentence = (
            f"{first.origin} {chosen.reason}, which edgefit cannot follow; state {name} in edgefit.yaml"
        )
        return _Choice(conflicts=(sentence,))
    conflicts = tuple(
        f"{first.origin} states {words(chosen)}, and {source.origin} {words(value)};"
        f" {first.origin} is followed"
        for source, value in given[1:]
        if not (source.is_default or isinstance(value, Unsupported) or is_like(chosen, value))
    )
    return _Choice(chosen, first.origin, conflicts, first.defaulted)


def joined(image_input: ImageInput, sources: Sequence[Stated]) -> Found:
    """Return what sources say together; the first ones go first, defaults last."""
    sources = sorted(sources, key=lambda source: source.is_default)
    labels = _choose("classes", sources, lambda source: source.labels, _same_labels, _labels_in_words)
    if not image_input.takes_images:
        return Found(None, (), (), labels.value, labels.origin or None, labels.conflicts)
    size = _size(image_input, sources)
    channels = _channels(image_input, sources)
    geometry = _choose(
        "resize", sources, lambda source: source.geometry, Geometry.is_like, lambda value: value.words
    )
    numbers = _numbers(image_input, sources, channels.value)
    white = _choose(WHITE, sources, lambda source: source.white, eq, lambda value: f"{WHITE} {value}")
    return Found(
        preprocess=_together(size.value, channels.value, geometry.value, numbers.value, white.value),
        origins=(
            *size.origins(("input_size",)),
            *geometry.origins(_GEOMETRY),
            *numbers.origins(_NUMBERS),
            *channels.origins(("channels",)),
            *white.origins((WHITE,)),
        ),
        missing=(
            *size.missing(("input_size",)),
            *geometry.missing(("resize",)),
            *numbers.missing(_NUMBERS),
            *channels.missing(("channels",)),
        ),
        labels=labels.value,
        labels_origin=labels.origin or None,
        conflicts=size.conflicts
        + geometry.conflicts
        + numbers.conflicts
        + channels.conflicts
        + white.conflicts
        + labels.conflicts,
        size=size.value,
        geometry=geometry.value,
        numbers=numbers.value,
        channels=channels.value,
        white=white.value,
    )


def _size(image_input: ImageInput, sources: Sequence[Stated]) -> _Choice[tuple[int, int]]:
    """Return height and width. A fixed shape is a fact, so it goes before what is said of it."""
    fact = Stated(THE_SHAPE, size=image_input.size)
    return _choose(
        "input_size",
        [fact, *sources],
        lambda source: source.size,
        eq,
        lambda size: f"an input of {size[1]}×{size[0]} pixels",
    )


def _channels(image_input: ImageInput, sources: Sequence[Stated]) -> _Choice[ChannelOrder]:
    """Return the order of the channels. One channel is grey; three are RGB unless a source says otherwise."""
    facts = [Stated(THE_SHAPE, channels="grey")] if image_input.channels == 1 else []
    usual = [Stated(THE_USUAL_ORDER, channels="rgb", is_default=True)] if image_input.channels == 3 else []
    fitting = [source for source in sources if image_input.channels != 3 or source.channels != "grey"]
    return _choose(
        "channels",
        [*facts, *fitting, *usual],
        lambda source: source.channels,
        eq,
        lambda order: f"channels {order}",
    )


def _numbers(
    image_input: ImageInput, sources: Sequence[Stated], channels: ChannelOrder | None
) -> _Choice[Numbers]:
    """Return scale, mean and std for the channels in their order. A uint8 input takes values as they are."""
    is_bytes = image_input.dtype == "uint8"
    own = Stated("the input's type, uint8", numbers=PRESETS["raw"], is_default=True)
    choice = _choose(
        "scale, mean and std",
        [*(_in_order(source, channels) for source in sources), *([own] if is_bytes else [])],
        lambda source: source.numbers,
        Numbers.is_like,
        lambda value: value.words,
    )
    fitting = _for_bytes(choice, own, image_input.quantisation) if is_bytes else choice
    return _for_channels(fitting, 1 if channels == "grey" else 3)


def _in_order(source: Stated, channels: ChannelOrder | None) -> Stated:
    """Return a source with mean and std in the order of the channels; its name says if they moved."""
    if channels is None or not isinstance(source.numbers, Numbers):
        return source
    numbers = source.numbers.in_order(channels, source.channels)
    if (numbers.mean, numbers.std) == (source.numbers.mean, source.numbers.std):
        return source
    return replace(source, numbers=numbers, origin=f"{source.origin} in the order {channels.upper()}")


def _for_bytes(choice: _Choice[Numbers], own: Stated, quantisation: Quantisation | None) -> _Choice[Numbers]:
    """Return the numbers of a uint8 input: fractions cannot be its values, but what they stand for."""
    numbers, raw = choice.value, PRESETS["raw"]
    if numbers is None:
        return _Choice(raw, own.origin, choice.conflicts)
    if gives_values_of("uint8", quantisation, numbers.scale, numbers.mean, numbers.std):
        return choice
    sentence = (
        f"{choice.origin} states {numbers.words}, and the input takes uint8, so values go in as they are"
    )
    return _Choice(raw, own.origin, (*choice.conflicts, sentence))


def _for_channels(choice: _Choice[Numbers], count: int) -> _Choice[Numbers]:
    """Return one mean and std for each channel; nothing if they are for another number of channels."""
    if choice.value is None:
        return choice
    numbers = choice.value.for_channels(count)
    if numbers is not None:
        return replace(choice, value=numbers)
    sentence = f"{choice.origin} states {choice.value.words}, and the network takes {count} channel(s)"
    return _Choice(conflicts=(*choice.conflicts, f"{sentence}; state mean and std in edgefit.yaml"))


def _together(
    size: tuple[int, int] | None,
    channels: ChannelOrder | None,
    geometry: Geometry | None,
    numbers: Numbers | None,
    white: int | None,
) -> Preprocess | None:
    if size is None or channels is None or geometry is None or numbers is None:
        return None
    count = 1 if channels == "grey" else 3
    return Preprocess(
        orientation="applied",
        sixteen_bit_white=FULL_WHITE if white is None else white,
        input_size=(count, *size),
        resize=geometry.resize,
        crop_pct=geometry.crop_pct,
        interpolation=geometry.interpolation,
        antialias=geometry.antialias,
        # A border has one colour where the source's colours are not those of the network's channels.
        pad_value=geometry.pad_value if len(geometry.pad_value) in (1, count) else geometry.pad_value[:1],
        scale=numbers.scale,
        mean=numbers.mean,
        std=numbers.std,
        channels=channels,
    )


def _same_labels(labels: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether two lists name the same classes; OpenVINO writes underscores for spaces."""
    return [label.replace(" ", "_") for label in labels] == [label.replace(" ", "_") for label in others]


def _labels_in_words(labels: tuple[str, ...]) -> str:
    shown = ", ".join(labels[:3])
    return f"{len(labels)} class names ({shown}{', …' if len(labels) > 3 else ''})"
