"""What the fields of a profile's parts are is read from their docstrings, and only when somebody asks."""

from device_profiles.descriptions import descriptions
from device_profiles.facts import Figure, Rate
from device_profiles.part import Part
from device_profiles.settings import Sampling


def test_the_docstring_below_a_field_describes_it() -> None:
    assert descriptions(Sampling)["blocks"] == "The number of blocks in each process."
    assert descriptions(Sampling).keys() == Sampling.model_fields.keys()


def test_fields_of_classes_above_and_of_generic_ones_are_described() -> None:
    assert descriptions(Rate).keys() == Rate.model_fields.keys()
    assert descriptions(Figure[int]) == descriptions(Figure)
    assert descriptions(Figure[int])


def test_the_definition_of_a_class_reads_no_source() -> None:
    class Made(Part):
        number: int
        """A number."""

    assert Made.model_fields["number"].description is None
    assert Made.model_json_schema()["properties"]["number"]["description"] == "A number."
