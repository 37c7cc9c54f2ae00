"""Names, days and wishes as people and services write them: whatever stands there, something comes out, soon."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.features.discovery.wish_parser import parse
from backend.ingestion import titles
from backend.ingestion.artists import artist_difference, first_artist
from backend.ingestion.distance import difference
from backend.ingestion.matcher import Candidate, choose
from backend.ingestion.normalizer import tidy_date, tidy_duration, tidy_features, tidy_isrc, tidy_text, tidy_upc
from backend.ingestion.vocabulary import tell
from backend.models.ingestion_models import AlbumQuery
from backend.repositories import cursor
from backend.utils.errors import AmbiguousError, InvalidInputError, RecordNotFoundError
from backend.utils.text import fold, fold_name
from tests.fuzz.mutations import altered, junk, limits, made
from tests.unit.features.discovery.test_wish_parser import VOCABULARY

_NAMES = (
    "The Dark Side of the Moon (2011 Remastered Version)",
    "MTV Unplugged in New York [Live]",
    "Live 1966: The “Royal Albert Hall” Concert, Vol. 4",
    "IV",
    "Ágætis byrjun – 20 ára",
    "Симфония № 5, Op. 67: I. Allegro",
    "「君の名は。」オリジナル",
    "Jay-Z & Kanye West feat. Otis Redding, The Roots",
    "1999 (Super Deluxe Edition) (Disc 2)",
    "happy 1970s jazz, 120-130 bpm, not sad, very acoustic",
    "swedish death metal",
    "2024-02-30",
)


def name(rng: random.Random) -> str:
    """One that people write, changed here and there."""
    written = altered(rng.choice(_NAMES).encode(), rng, words=[n.encode() for n in _NAMES])
    return written.decode("utf-8", "replace")


@limits(60)
@given(made(name), made(name))
def test_names_are_folded_parted_and_compared(one: str, other: str) -> None:
    for text in (one, other):
        assert fold(fold(text)) == fold(text)
        assert isinstance(fold_name(text), str)
        titles.take_apart(text)
        titles.heart_of(text)
        first_artist(text)
        tell(text)
    for measure in (difference, artist_difference):
        assert 0 <= measure(one, other) <= 1
        assert measure(one, one) <= measure(one, other) + 1e-9


def chosen(query: AlbumQuery, candidates: list[Candidate]) -> Candidate | RecordNotFoundError | AmbiguousError:
    """What the matcher answers."""
    try:
        return choose(query, candidates).candidate
    except (RecordNotFoundError, AmbiguousError) as said:
        return said


@limits(40)
@given(st.lists(made(name), min_size=2, max_size=8), made(name))
def test_a_choice_is_one_of_those_offered_in_any_order(offered: list[str], artist: str) -> None:
    query = AlbumQuery(album=offered[0][:200] or "x", artist=artist[:200] or "y")
    candidates = [Candidate(id=f"{n}", title=text, artist=artist) for n, text in enumerate(offered[1:])]
    found, turned = chosen(query, candidates), chosen(query, candidates[::-1])
    assert type(found) is type(turned)
    assert isinstance(found, RecordNotFoundError | AmbiguousError) or found in candidates


@limits(60)
@given(made(junk))
def test_values_of_any_kind_are_tidied_or_unknown(value: object) -> None:
    text = value if isinstance(value, str) or value is None else str(value)
    for tidy in (tidy_text, tidy_date, tidy_isrc, tidy_upc):
        assert tidy(text) is None or isinstance(tidy(text), str)
    assert tidy_duration(value) is None or isinstance(tidy_duration(value), int)
    assert all(isinstance(v, float) for v in tidy_features({"energy": value, "tempo": value}).values())


@limits(60)
@given(made(name))
def test_wishes_are_understood_in_part(text: str) -> None:
    understood = parse(text, VOCABULARY)
    assert parse(text, VOCABULARY) == understood


@limits(80)
@given(made(lambda rng: altered(cursor.encode(["a", "b"], of="list").encode(), rng).decode("utf-8", "replace")))
def test_a_cursor_is_ours_or_refused(text: str) -> None:
    if text == cursor.encode(["a", "b"], of="list"):
        assert cursor.decode(text, of="list", parts=2) == ["a", "b"]
        return
    with pytest.raises(InvalidInputError):
        cursor.decode(text, of="list", parts=2)
