"""Which tracks are one recording, and what a recording is called."""

from __future__ import annotations

import doctest
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion import alignment
from backend.ingestion.alignment import recording_key
from backend.ingestion.recordings import Sameness, same_recording
from backend.models.ingestion_models import TrackRecord


def track(title: str, *, seconds: float | None = 200.0, artist: str = "The Beatles", **more: object) -> TrackRecord:
    milliseconds = None if seconds is None else round(seconds * 1000)
    return TrackRecord(title=title, artists=(artist,) if artist else (), duration_ms=milliseconds, **more)  # type: ignore[arg-type]  # passed on


@pytest.mark.parametrize(
    "title",
    [
        "Something", "something", "Something - Remastered 2009", "Something (2019 Mix)", "Something [Mono]",
        "Something (Explicit)", "Something (Clean Version)", "Something - Single Version", "Something (feat. Eric Clapton)",
        "Somethnig", "Something - Album Version",
    ],
)  # fmt: skip
def test_a_package_makes_no_other_recording(title: str) -> None:
    assert same_recording(track("Something"), track(title, seconds=202.0)).same


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Something - Live", "performance"), ("Something (Acoustic)", "performance"), ("Something (X Remix)", "title"),
        ("Something (Demo)", "performance"), ("Something (Instrumental)", "performance"), ("Something (Karaoke)", "performance"),
        ("Something (Taylor's Version)", "title"), ("Something (Re-Recorded)", "performance"), ("Something - Radio Edit", "cut"),
        ("Something (Extended Version)", "title"), ("Something, Pt. 2", "title"), ("Nothing", "title"),
        ("Something (Reprise)", "title"),
    ],
)  # fmt: skip
def test_another_performance_or_length_is_another_recording(title: str, reason: str) -> None:
    assert same_recording(track("Something"), track(title)) == Sameness(0.0, reason)  # type: ignore[arg-type]  # spelt out
    assert recording_key("The Beatles", "Something") != recording_key("The Beatles", title)


def test_durations_may_differ_by_three_seconds() -> None:
    assert same_recording(track("Something"), track("Something", seconds=203.0)) == Sameness(1.0, "duration")
    assert not same_recording(track("Something"), track("Something", seconds=203.1)).same
    unknown = same_recording(track("Something"), track("Something", seconds=None))
    assert unknown == Sameness(0.8, "names")
    assert unknown.same


def test_another_artist_plays_another_recording() -> None:
    cover = track("Something", artist="Shirley Bassey")
    assert same_recording(track("Something"), cover) == Sameness(0.0, "artist")
    assert same_recording(track("Something"), track("Something", artist=""), other_artist="Beatles").same
    assert not same_recording(track("Something"), track("Something", artist=""), other_artist="Shirley Bassey").same


def test_identifiers_settle_it_and_others_say_nothing() -> None:
    one = track("Something", isrc="GB-AYE-06-01690", ids={"musicbrainz": "m1", "spotify": "s1"})
    assert same_recording(one, track("Etwas", isrc="gbaye0601690")) == Sameness(1.0, "isrc")
    assert same_recording(one, track("Etwas", ids={"musicbrainz": "m1"})) == Sameness(1.0, "mbid")
    assert same_recording(one, track("Etwas", ids={"spotify": "s1"})) == Sameness(1.0, "id")
    remaster = track("Something", isrc="GBAYE0900001", ids={"musicbrainz": "m2", "spotify": "s2"})
    assert same_recording(one, remaster) == Sameness(1.0, "duration")
    assert not same_recording(track("A", isrc="", ids={"spotify": ""}), track("B", isrc="", ids={"spotify": ""})).same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("The Beatles", "Something - Remastered 2009"), ("Beatles", "Something")),
        (("JAY-Z, Kanye West", "Otis (feat. Otis Redding)"), ("JAY-Z & Kanye West", "Otis")),
        (("AC/DC", "Back in Black"), ("ACDC", "Back In Black")),
        (("Simon & Garfunkel", "The Boxer"), ("Simon and Garfunkel", "Boxer")),
        (("Beyoncé", "Halo"), ("Beyonce", "Halo (Explicit)")),
    ],
)
def test_one_recording_has_one_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert recording_key(*one) == recording_key(*other)


def test_long_keys_are_cut_and_stay_apart() -> None:
    one, other = recording_key("A" * 150, "b" * 150 + " one"), recording_key("A" * 150, "b" * 150 + " two")
    assert len(one) == len(other) == 200
    assert one != other
    assert "~" not in recording_key("A" * 99, "b" * 100)


@given(st.text(), st.text())
def test_any_names_make_a_key(artist: str, title: str) -> None:
    key = recording_key(artist, title)
    assert len(key) <= 200
    assert "/" in key
    assert key == recording_key(artist, title)


@given(st.text(string.ascii_letters + " ()-", min_size=1), st.text(string.ascii_letters + " ()-", min_size=1))
def test_the_order_of_tracks_does_not_matter(one: str, other: str) -> None:
    assert same_recording(track(one), track(other)) == same_recording(track(other), track(one))


def test_examples_in_the_module() -> None:
    assert doctest.testmod(alignment).failed == 0
