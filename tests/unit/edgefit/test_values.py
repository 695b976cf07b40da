"""What a result is called: what was given, else the name of its folder."""

from pathlib import Path

import pytest

from bench.errors import InputError
from edgefit.values import name_for, require_name


def test_a_result_without_a_name_is_called_as_its_folder() -> None:
    assert name_for("night", Path("out")) == "night"
    assert name_for(None, Path("out")) == "out"


def test_a_folder_whose_name_is_no_good_one_needs_another_for_the_result() -> None:
    with pytest.raises(InputError, match=r"--out 'o\\u2066ut': no result can have this .*; give --name"):
        name_for(None, Path("o\u2066ut"))


def test_the_message_of_a_commit_is_no_name() -> None:
    with pytest.raises(InputError, match=r"--name 'Mend it\\n\\nWhy.*': it has several lines .*; give"):
        require_name("Mend it\n\nWhy: it was broken, and nobody had said so before today")
