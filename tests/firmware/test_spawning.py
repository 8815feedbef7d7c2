"""How the words of a command reach the compiler without a shell."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st
from spawning import NAME, words

TEXT = st.text(st.sampled_from("ab/ \"'\\$(&;,%`#[é-"), min_size=1)


@given(name=TEXT)
def test_the_name_of_a_file_stays_what_it_is(name: str) -> None:
    assert words(["gcc", NAME + name]) == ["gcc", name]


@given(value=st.text(st.sampled_from("ab/ '(&;,%#[é-"), min_size=1))
def test_a_flag_is_read_as_a_shell_would_read_it_within_quotes(value: str) -> None:
    """As SCons hands over a flag with spaces, and PlatformIO a macro that is a text."""
    macro = f'"-DX=\\"{value}\\""'
    assert words([macro]) == shlex.split(macro) == [f'-DX="{value}"']


@given(folder=st.text(st.sampled_from("ab'$(&;,%`#[é-"), min_size=1))
def test_what_a_shell_would_read_into_a_folder_is_part_of_its_name(folder: str) -> None:
    assert words([f"-I/{folder}/include"]) == [f"-I/{folder}/include"]
