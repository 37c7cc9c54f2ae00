from __future__ import annotations

import doctest
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.features.splits import hashing, names, near, recipe
from backend.utils.text import fold


@pytest.mark.parametrize("module", [hashing, names, near, recipe])
def test_examples_in_the_docs_hold(module: ModuleType) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize(
    "spellings",
    [
        ["Beyoncé", "BEYONCE", "beyonce\u0301", "Beyoncé "],
        ["The Rolling Stones", "Rolling Stones", "Rolling Stones, The"],
        ["Guns N' Roses", "Guns and Roses", "Guns & Roses", "guns n’ roses"],
        ["Sigur Rós", "ＳＩＧＵＲ ＲＯＳ"],
        ["Мумий Тролль", "МУМИЙ ТРОЛЛЬ"],
    ],
)
def test_spellings_of_one_artist_have_one_key(spellings: list[str]) -> None:
    assert len({names.artist_key(name) for name in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Song", "Song (Live)"), ("Song", "Song - Acoustic"), ("Song", "Song (X Remix)"), ("Song 1", "Song 2")],
)
def test_other_performances_are_other_titles(one: str, other: str) -> None:
    assert names.title_key(one) != names.title_key(other)


@pytest.mark.parametrize(
    "title",
    [
        "Song (2011 Remaster)",
        "Song [Remastered]",
        "SONG - Mono",
        "Song (feat. X & Y)",
        "Song feat. X",
        "Song - Single Version",
    ],
)
def test_packages_are_not(title: str) -> None:
    assert names.title_key(title) == "song"


@given(title=st.text(max_size=20))
def test_a_title_that_says_anything_has_a_key(title: str) -> None:
    assert bool(names.title_key(title)) == bool(fold(title))
