from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features.discovery.wish_parser import LONGEST, normal, parse
from backend.features.discovery.wish_words import NUMBERS, PHRASES, Vocabulary
from backend.features.discovery.wishes import Explicit, Meaning, Range, Tagged, Understood, told

VOCABULARY = Vocabulary(
    genres={"jazz": "jazz", "dark jazz": "dark jazz", "r and b": "r&b", "drum and bass": "drum and bass", "bebop": "bebop"},
    moods={"melancholic": "melancholic", "melancholy": "melancholic", "dark": "dark", "happy": "happy"},
    places={"melancholic": (-0.5, -0.4)},
    kinds=lambda name: ["bebop"] if name == "jazz" else [],
    stored=frozenset({"jazz", "bebop", "melancholic", "dark", "r&b"}),
)  # fmt: skip


def of(text: str) -> Understood:
    return parse(text, VOCABULARY)


def meanings(text: str) -> list[Meaning]:
    found = of(text)
    assert not found.unclear, found.unclear
    return [wish.meaning for wish in found.wishes]


TEMPO, YEAR, LENGTH = "tempo", "release_year", "duration_ms"


@pytest.mark.parametrize(
    ("text", "field", "low", "high"),
    [
        ("120–130 bpm", TEMPO, 120, 130), ("120 to 130 BPM", TEMPO, 120, 130), ("between 90 and 95.5 bpm", TEMPO, 90, 95.5),
        ("under 100 bpm", TEMPO, None, 100), ("at least 140bpm", TEMPO, 140, None), ("140+ bpm", TEMPO, 140, None),
        ("170 bpm or more", TEMPO, 170, None), ("tempo 120-130", TEMPO, 120, 130), ("> 100 bpm", TEMPO, 100, None),
        ("faster than 100 bpm, slower than 110 bpm", TEMPO, 100, 110),
        ("1970s", YEAR, 1970, 1979), ("'70s", YEAR, 1970, 1979), ("the seventies", YEAR, 1970, 1979), ("00s", YEAR, 2000, 2009),
        ("early 90s", YEAR, 1990, 1993), ("mid-1980s", YEAR, 1983, 1986), ("late sixties", YEAR, 1966, 1969),
        ("1960s to 1980s", YEAR, 1960, 1989), ("1970-79", YEAR, 1970, 1979), ("from 1970 to 1985", YEAR, 1970, 1985),
        ("1959", YEAR, 1959, 1959), ("before 1960", YEAR, None, 1959), ("after 1999", YEAR, 2000, None),
        ("since 1990", YEAR, 1990, None), ("until 1990", YEAR, None, 1990), ("before the 1980s", YEAR, None, 1979),
        ("3-5 minutes", LENGTH, 180_000, 300_000), ("under 3:30", LENGTH, None, 210_000),
        ("at least 10 min", LENGTH, 600_000, None),
        ("3:00-4:30", LENGTH, 180_000, 270_000), ("90 seconds or less", LENGTH, None, 90_000),
        ("popularity under 30", "popularity", None, 30), ("energy > 0.7", "energy", 0.7, None),
        ("valence .2-.4", "valence", 0.2, 0.4),
        ("danceability at least 70%", "danceability", 0.7, None), ("loudness -14 to -8", "loudness", -14, -8),
        ("arousal below -0.2", "mood_arousal", None, -0.2),
    ],
)  # fmt: skip
def test_numbers_are_musts(text: str, field: str, low: float | None, high: float | None) -> None:
    (wish,) = of(text).wishes
    assert not of(text).unclear
    assert wish.meaning == Range(field, low, high)
    assert wish.hard
    assert wish.wanted


@pytest.mark.parametrize(
    "text", ["about 120-130 bpm", "~120 bpm", "around 1975", "circa 1970s", "120 bpm", "energy 0.8", "4 minutes"]
)
def test_about_and_single_values_are_targets(text: str) -> None:
    (wish,) = of(text).wishes
    assert not wish.hard


def test_the_issue_of_the_example_is_understood_whole_with_and_without_commas() -> None:
    wanted = [
        Range(TEMPO, 120, 130), PHRASES["acoustic"], Tagged("moods", "melancholic", place=(-0.5, -0.4)), Range(YEAR, 1970, 1979),
    ]  # fmt: skip
    assert meanings("120–130 bpm, acoustic, melancholic, 1970s") == wanted
    assert meanings("120-130 bpm acoustic melancholic 1970s") == wanted
    assert meanings("some acoustic melancholy songs at 120-130 bpm from the 1970s".replace(" at ", " ")) == [
        wanted[1], wanted[2], wanted[0], wanted[3],
    ]  # fmt: skip


def test_words_are_wishes_that_only_and_not_change() -> None:
    jazz = Tagged("genres", "jazz", others=("bebop",))
    soft, only, no, very = of("jazz, only jazz, no jazz, very happy").wishes
    assert [w.meaning for w in (soft, only, no)] == [jazz] * 3
    assert [(w.hard, w.wanted, w.weight) for w in (soft, only, no, very)] == [
        (False, True, 1.0), (True, True, 1.0), (True, False, 1.0), (False, True, 2.0),
    ]  # fmt: skip
    (live,) = of("not live").wishes
    assert (live.hard, live.wanted) == (False, False)
    (slightly,) = of("slightly dark").wishes
    assert slightly.weight == 0.5


def test_clean_and_explicit_are_two_sides_of_one_thing() -> None:
    assert meanings("clean") == meanings("not explicit") == meanings("no explicit lyrics") == [Explicit(value=False)]
    assert meanings("explicit") == [Explicit(value=True)]


def test_no_vocals_is_instrumental_and_not_the_opposite() -> None:
    assert meanings("no vocals") == meanings("instrumental") == [PHRASES["instrumental"]]


def test_names_with_signs_and_in_other_spellings() -> None:
    assert meanings("R&B") == meanings("r and b") == [Tagged("genres", "r&b")]
    assert meanings("Drum & Bass") == [Tagged("genres", "drum and bass")]


def test_a_tag_of_no_track_gives_way_to_two_that_tracks_have() -> None:
    assert meanings("dark jazz") == [Tagged("moods", "dark"), Tagged("genres", "jazz", others=("bebop",))]


def test_what_is_not_understood_is_told_with_what_may_be_meant() -> None:
    found = of("melancolic, jazz, xyzzy plugh, 900 bpm")
    assert [w.text for w in found.wishes] == ["jazz"]
    assert [u.text for u in found.unclear] == ["melancolic", "xyzzy plugh", "900 bpm"]
    assert found.unclear[0].suggestions == ["melancholic"]
    assert found.unclear[1].suggestions == []


def test_two_open_ranges_that_exclude_each_other_stay_two() -> None:
    assert len(of("over 130 bpm, under 120 bpm").wishes) == 2


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_is_read_and_nothing_of_it_is_lost_or_made_up(text: str) -> None:
    found = of(text)
    plain = normal(text)
    for words in [u.text for u in found.unclear] + [w.text.removeprefix("not ") for w in found.wishes]:
        for part in words.split(", "):
            assert all(word in plain for word in part.split())
    for wish in found.wishes:
        assert told(wish)
    assert parse(text, VOCABULARY) == found


ALPHABET = string.ascii_lowercase + "0123456789 ,.-–:<>%+&'s"


@settings(max_examples=200, deadline=None)
@given(text=st.text(ALPHABET, max_size=60))
def test_values_stay_inside_their_bounds(text: str) -> None:
    bounds = {field: (least, most) for field, least, most in NUMBERS.values()} | {
        "tempo": (20, 400), YEAR: (999, 2100), LENGTH: (0, 86_400_000),
    }  # fmt: skip
    for wish in of(text).wishes:
        if isinstance(wish.meaning, Range):
            least, most = bounds[wish.meaning.field]
            for value in (wish.meaning.low, wish.meaning.high):
                assert value is None or least <= value <= most


PARTS = [
    "120-130 bpm",
    "acoustic",
    "melancholic",
    "1970s",
    "not jazz",
    "obscure",
    "under 4 minutes",
    "clean",
    "energy 0.5-0.6",
]


@settings(max_examples=60, deadline=None)
@given(
    parts=st.permutations(PARTS),
    n=st.integers(1, len(PARTS)),
    separator=st.sampled_from([", ", "; ", " and ", " / ", "\n"]),
)
def test_the_order_of_parts_and_what_parts_them_do_not_matter(parts: list[str], n: int, separator: str) -> None:
    found = of(separator.join(parts[:n]))
    assert not found.unclear
    assert {wish.text for wish in found.wishes} == set(parts[:n])
    alone = {part: of(part).wishes[0] for part in parts[:n]}
    assert all(wish == alone[wish.text] for wish in found.wishes)


@settings(max_examples=60, deadline=None)
@given(low=st.integers(20, 400), width=st.integers(0, 50), dash=st.sampled_from(["-", "–", " - ", " to ", "—"]))
def test_ranges_come_back_as_they_were_said(low: int, width: int, dash: str) -> None:
    high = min(400, low + width)
    assert meanings(f"{low}{dash}{high} bpm") == [Range(TEMPO, low, high)]


def test_long_texts_are_cut() -> None:
    assert len(of("jazz " * 1_000).wishes) == 1
    assert of("x" * LONGEST + " jazz").wishes == []
