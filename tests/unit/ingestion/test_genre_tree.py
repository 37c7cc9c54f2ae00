"""The tree of genres."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion.vocabulary import (
    Kind,
    ancestors,
    children,
    correction,
    genre_tree,
    genres,
    is_a,
    parents,
    roots,
    roots_of,
    tell,
    tree,
)
from backend.ingestion.vocabulary.entries import entries
from backend.utils.text import fold

NAMES = sorted(set(genres().values()))


@pytest.mark.parametrize("module", [genre_tree, correction])
def test_examples_in_the_modules(module: ModuleType) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0


def test_every_parent_is_a_genre_in_its_canonical_spelling() -> None:
    wrong = {e.name: e.parents for e in entries("genres.txt") if not set(e.parents) <= set(NAMES)}
    assert wrong == {}


def test_no_genre_is_listed_twice_nor_has_a_parent_twice() -> None:
    listed = [e.name for e in entries("genres.txt")]
    assert len(listed) == len(set(listed))
    assert {e.name for e in entries("genres.txt") if len(e.parents) != len(set(e.parents))} == set()


def test_no_genre_is_its_own_ancestor() -> None:
    assert {name for name in NAMES if name in ancestors(name)} == set()


def test_every_genre_hangs_under_a_root() -> None:
    assert {name for name in NAMES if not roots_of(name)} == set()
    assert 20 <= len(roots()) <= 30


def test_no_parent_is_also_a_grandparent() -> None:
    """It would say nothing that the tree does not say without it."""
    doubled = {
        name: parent
        for name in NAMES
        for parent in parents(name)
        if any(parent in ancestors(other) for other in parents(name))
    }
    assert doubled == {}


@pytest.mark.parametrize(
    ("name", "ancestor"),
    [
        ("blackgaze", "metal"), ("blackgaze", "shoegaze"), ("drill and bass", "drum and bass"), ("bossa nova", "jazz"),
        ("bossa nova", "latin"), ("trap", "hip hop"), ("screamo", "punk"), ("g-funk", "funk"), ("g-funk", "hip hop"),
        ("lovers rock", "reggae"), ("dubstep", "electronic"), ("string quartet", "classical"), ("gospel", "religious"),
        ("zydeco", "blues"), ("city pop", "asian music"), ("highlife", "african music"), ("soca", "caribbean music"),
        ("nursery rhymes", "children's music"), ("film score", "soundtrack"), ("swedish death metal", "metal"),
        ("toronto rap", "hip hop"), ("Hip-Hop", "hip hop"), ("Rock", "rock"), ("Heavy Metal", "Metal"),
    ],
)  # fmt: skip
def test_what_is_a_kind_of_what(name: str, ancestor: str) -> None:
    assert is_a(name, ancestor)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("lovers rock", "rock"), ("new jack swing", "swing"), ("witch house", "house"), ("liquid funk", "funk"),
        ("happy hardcore", "punk"), ("children's music", "metal"), ("rock", "blackgaze"), ("sad", "pop"), ("xyz", "pop"),
    ],
)  # fmt: skip
def test_what_only_sounds_like_it(name: str, other: str) -> None:
    assert not is_a(name, other)


def test_composed_genres_hang_under_their_head() -> None:
    assert parents("swedish death metal") == ("death metal",)
    assert parents("dark jazz rock") == ("jazz fusion",)
    assert ancestors("toronto rap") == ("hip hop",)
    assert roots_of("new york city hardcore punk") == {"punk"}


def test_what_is_no_genre_has_neither_parents_nor_roots() -> None:
    assert not any(
        (parents("seen live"), ancestors("seen live"), roots_of("seen live"), children("xyz"), parents("sad"))
    )


def test_children_are_those_that_name_it() -> None:
    assert {name for root in NAMES for name in children(root)} == set(NAMES) - set(roots())
    assert all(parent in parents(child) for parent in NAMES for child in children(parent))
    assert "hard bop" in children("bebop")


@given(st.sampled_from(NAMES))
def test_ancestors_come_once_and_the_nearest_first(name: str) -> None:
    found = ancestors(name)
    assert len(found) == len(set(found))
    assert found[: len(parents(name))] == parents(name)
    assert not found or set(found) & set(roots())


def test_the_whole_tree_can_be_read() -> None:
    rows = tree()
    assert [row["name"] for row in rows] == [e.name for e in entries("genres.txt")]
    by_name = {row["name"]: row for row in rows}
    assert by_name["blackgaze"] == {"name": "blackgaze", "parents": list(parents("blackgaze")), "aliases": []}
    assert "rap" in by_name["hip hop"]["aliases"]
    assert all(tell(str(alias)).kind is Kind.GENRE for row in rows for alias in row["aliases"])
    assert sum(1 + len(row["aliases"]) for row in rows) == len(genres())
    assert all(fold(str(row["name"])) not in row["aliases"] for row in rows)
