"""Genres, moods and junk told apart, whatever the spelling."""

from __future__ import annotations

import doctest
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion.vocabulary import Kind, genres, moods, spelling, tell, words
from backend.utils.text import fold


@pytest.mark.parametrize("module", [spelling, words])
def test_examples_in_the_modules(module: object) -> None:
    tried = doctest.testmod(module)  # type: ignore[arg-type]  # a module; typeshed wants ModuleType of object
    assert tried.attempted > 0
    assert tried.failed == 0


def test_it_is_large_enough_to_be_of_use() -> None:
    assert len(set(genres().values())) >= 700
    assert len(set(moods().values())) >= 120


@pytest.mark.parametrize(("names", "kind"), [(genres(), Kind.GENRE), (moods(), Kind.MOOD)])
def test_every_canonical_name_stands_for_itself(names: dict[str, str], kind: Kind) -> None:
    wrong = {name: tell(name) for name in names.values() if tell(name) != words.Word(kind, name)}
    assert wrong == {}


def test_no_spelling_stands_for_two() -> None:
    meant = defaultdict(set)
    for file in ("genres.txt", "moods.txt"):
        for key, canonical in words.spelt(file):
            meant[key].add((file, canonical))
    assert {key: names for key, names in meant.items() if len(names) > 1} == {}


def test_canonical_names_are_lower_case_and_tidy() -> None:
    names = {*genres().values(), *moods().values()}
    assert {n for n in names if n != n.lower() or n != " ".join(n.split()) or len(n) > 40} == set()


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("Hip-Hop", "hip hop"), ("hiphop", "hip hop"), ("Rap", "hip hop"), ("hip hop music", "hip hop"),
        ("R&B", "r&b"), ("RnB", "r&b"), ("r and b", "r&b"), ("R'n'B", "r&b"),
        ("alt rock", "alternative rock"), ("Alternative-Rock", "alternative rock"),
        ("synth pop", "synthpop"), ("Synth-Pop", "synthpop"), ("80s synthpop", "synthpop"), ("synthpop songs", "synthpop"),
        ("Drum & Bass", "drum and bass"), ("DnB", "drum and bass"), ("postpunk", "post-punk"),
        ("psychadelic rock", "psychedelic rock"), ("eletronica", "electronic"), ("Musique Concrète", "musique concrète"),
        ("power ballads", "power ballad"), ("Rock En Español", "rock en español"), ("tropicalia", "tropicália"),
        ("LGBTQ+ hip hop", "lgbtq+ hip hop"), ("k pop", "k-pop"), ("KPOP", "k-pop"), ("afrobeat", "afrobeat"),
        ("afrobeats", "afrobeats"), ("Folkrock", "folk rock"), ("blues", "blues"), ("jazz", "jazz"),
    ],
)  # fmt: skip
def test_spellings_of_a_genre(tag: str, canonical: str) -> None:
    assert tell(tag) == words.Word(Kind.GENRE, canonical)


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("swedish death metal", "swedish death metal"), ("Swedish Deathmetal", "swedish death metal"),
        ("lo-fi indie pop", "lo fi indie pop"), ("UK Garage House", "uk garage house"), ("toronto rap", "toronto rap"),
        ("new york city hardcore punk", "new york city hardcore punk"), ("São Paulo Funk", "sao paulo funk"),
        ("dark jazz-rock", "dark jazz rock"),
    ],
)  # fmt: skip
def test_places_and_manners_before_a_genre_make_a_genre(tag: str, canonical: str) -> None:
    assert tell(tag) == words.Word(Kind.GENRE, canonical)


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("melancholy", "melancholic"), ("Melancholia", "melancholic"), ("chillout", "chill"), ("Chill-Out", "chill"),
        ("sad songs", "sad"), ("feelgood", "feel good"), ("relaxing music", "relaxing"), ("humour", "funny"),
        ("party time", "party"), ("late night", "nocturnal"), ("Energy", "energetic"), ("happy", "happy"),
    ],
)  # fmt: skip
def test_spellings_of_a_mood(tag: str, canonical: str) -> None:
    assert tell(tag) == words.Word(Kind.MOOD, canonical)


@pytest.mark.parametrize(
    "tag",
    [
        "seen live", "favourites", "My Favorites", "my 500 essential songs", "albums I own", "1999", "80s", "1980s", "00s",
        "best of 2009", "spotify", "female vocalists", "male vocalist", "american", "new york", "irish music", "love",
        "awesome", "<3", "12345", "x", "", " ", "\u200b", "https://example.org/a", "www.example.com", "under 2000 listeners",
        "a tag that goes on and on and is a whole sentence by itself", "guitar", "cover", "live", "80s songs",
    ],
)  # fmt: skip
def test_junk(tag: str) -> None:
    assert tell(tag).kind is Kind.JUNK


@pytest.mark.parametrize(
    "tag", ["rick ghraphixxx", "barkbarkdisco", "michael jackson", "women of jazz", "not emo", "rain on metal"]
)
def test_what_is_not_known_is_said_so(tag: str) -> None:
    assert tell(tag).kind is Kind.UNKNOWN


@given(st.sampled_from(sorted(genres())), st.sampled_from([str.upper, str.title, lambda s: s.replace(" ", "-")]))
def test_case_and_hyphens_make_no_difference(key: str, spoil: object) -> None:
    assert callable(spoil)
    assert tell(spoil(key)) == tell(key)


@given(st.text())
def test_any_text_is_told(tag: str) -> None:
    word = tell(tag)
    assert word.kind in Kind
    if word.kind is Kind.GENRE:
        assert tell(word.name) == word
        assert fold(word.name)
