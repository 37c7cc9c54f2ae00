"""One truth per field, by precedence, with a source for each, whatever the order of the records."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion.merger import merge
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AlbumRecord, MergedAlbum, Rights, SourceRecord, Tag, TrackRecord
from backend.utils.errors import InvalidInputError
from backend.utils.identifiers import derive

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = (
    "title", "artist", "release_date", "label", "upc", "popularity", "listeners", "critic_score", "critic_count", "user_score",
    "user_count", "tracks", "artists", "duration_ms", "explicit", "rating", "isrc", "audio_features", "tags",
)  # fmt: skip


def profile(
    name: str, trust: float, *, rights: Rights = Rights.OPEN, stand_in: bool = False, **gives: float
) -> SourceProfile:
    return SourceProfile(name=name, rights=rights, gives=dict.fromkeys(FIELDS, trust) | gives, stand_in=stand_in)


PROFILES = {
    p.name: p
    for p in (
        profile("catalogue", 1.0, listeners=0.0),
        profile("listeners", 0.4, listeners=1.0, tags=1.0),
        profile("critics", 0.3, tracks=0.0, tags=0.9),
        profile("demo", 0.2, stand_in=True),
        profile("madeup", 0.1, rights=Rights.SYNTHETIC, stand_in=True),
    )
}


def said(source: str, *, at: datetime = NOW, **fields: object) -> SourceRecord:
    album = AlbumRecord(**({"title": "Paper Harbour", "artist": "The Amber Lanterns"} | fields))  # type: ignore[arg-type]  # by name
    return SourceRecord(
        source=source, rights=PROFILES[source].rights if source in PROFILES else Rights.OPEN, fetched_at=at, album=album
    )


def merged(
    *records: SourceRecord, album_id: str | None = None, profiles: Mapping[str, SourceProfile] = PROFILES
) -> MergedAlbum:
    return merge(records, profiles, album_id=album_id, policy=MergePolicy(max_genres=3, max_moods=2))


def tag(name: str, weight: float = 1.0) -> Tag:
    return Tag(name=name, weight=weight, level="album")


def tracks(*titles: str, **fields: object) -> tuple[TrackRecord, ...]:
    return tuple(TrackRecord(title=t, track_number=n, **fields) for n, t in enumerate(titles, 1))  # type: ignore[arg-type]  # by name


def test_the_most_trusted_usable_value_wins_and_is_named() -> None:
    album = merged(
        said("listeners", release_date="1999", label="Small", popularity=10, listeners=500),
        said("catalogue", release_date="2001-02-03", label="  ", popularity=101, listeners=7),
    )
    assert (album.release_date, album.label, album.popularity, album.listeners) == ("2001-02-03", "Small", 10, 500)
    assert album.provenance == {
        "artist": "catalogue", "label": "listeners", "listeners": "listeners", "popularity": "listeners",
        "release_date": "catalogue", "title": "catalogue",
    }  # fmt: skip


def test_ties_go_by_name() -> None:
    profiles = {n: profile(n, 1.0) for n in ("b", "a")}
    album = merged(said("b", label="B"), said("a", label="A"), profiles=profiles)
    assert (album.label, album.provenance["label"]) == ("A", "a")


def test_a_field_that_a_source_does_not_give_is_never_taken() -> None:
    assert merged(said("catalogue", listeners=7)).listeners is None


def test_scores_are_kept_apart() -> None:
    album = merged(said("critics", critic_score=81.5, critic_count=20, user_score=77, user_count=3000))
    assert (album.aoty_critic_score, album.aoty_critic_count) == (81.5, 20)
    assert (album.aoty_user_score, album.aoty_user_count) == (77.0, 3000)
    assert album.provenance["aoty_user_score"] == "critics"


def test_stand_ins_count_only_while_nobody_else_knows_the_album() -> None:
    demo = said("demo", release_date="1970", tracks=tracks("One"))
    madeup = said("madeup", popularity=40, tracks=tracks("One", audio_features={"energy": 0.5}))
    alone = merged(demo, madeup)
    assert (alone.release_date, alone.popularity, alone.synthetic) == ("1970", 40, True)
    assert alone.tracks[0].provenance["energy"] == "madeup"
    assert not merged(demo).synthetic
    with_real = merged(demo, madeup, said("critics", user_score=50))
    assert (with_real.release_date, with_real.popularity, with_real.synthetic, with_real.tracks) == (
        None,
        None,
        False,
        (),
    )


def test_the_list_is_of_the_most_trusted_and_others_fill_it() -> None:
    ours = tracks("Tide", "Quay", duration_ms=1_000)
    theirs = (
        TrackRecord(title="Quay - Remastered 2009", track_number=1, listeners=9, duration_ms=5, isrc="GBAYE0601690"),
        TrackRecord(title="Tide (feat. X)", track_number=2, listeners=8, rating=70.0),
        TrackRecord(title="Bonus", track_number=3, listeners=7),
    )
    album = merged(said("listeners", tracks=theirs), said("catalogue", tracks=ours))
    assert [(t.title, t.track_number, t.duration_ms, t.listeners) for t in album.tracks] == [
        ("Tide", 1, 1_000, 8), ("Quay", 2, 1_000, 9),
    ]  # fmt: skip
    assert album.tracks[1].isrc == "GBAYE0601690"
    assert album.tracks[0].rating == 70.0
    assert album.provenance["tracks"] == "catalogue"
    assert album.tracks[1].provenance == {
        "album": "catalogue", "artist": "catalogue", "duration_ms": "catalogue", "isrc": "listeners", "listeners": "listeners",
        "title": "catalogue", "track_number": "catalogue",
    }  # fmt: skip


def test_a_source_that_gives_no_lists_never_sets_one() -> None:
    assert merged(said("critics", tracks=tracks("One"))).tracks == ()
    album = merged(said("critics", tracks=tracks("One")), said("listeners", tracks=tracks("Two", "One")))
    assert [t.title for t in album.tracks] == ["Two", "One"]


def test_numbers_are_kept_filled_from_others_or_counted() -> None:
    ours = (
        TrackRecord(title="C", disc_number=2, track_number=1),
        TrackRecord(title="B"),
        TrackRecord(title="A", track_number=7),
    )
    album = merged(said("catalogue", tracks=ours), said("listeners", tracks=tracks("x", "B")))
    assert [(t.disc_number, t.track_number, t.title) for t in album.tracks] == [(1, 7, "A"), (1, 2, "B"), (2, 1, "C")]
    counted = merged(said("catalogue", tracks=(TrackRecord(title="A"), TrackRecord(title="B"))))
    assert [t.track_number for t in counted.tracks] == [1, 2]


def test_ids_are_derived_from_names_and_stay_over_editions() -> None:
    plain = merged(said("catalogue", tracks=tracks("Tide", "Tide", "Tide - Live")))
    edition = merged(said("catalogue", tracks=tracks("Tide - Remastered 2009", "Tide (2011 Mix)", "Tide (Live)")))
    assert plain.id == derive("album", "amber lanterns", "paper harbour")
    assert plain.artist_id == derive("artist", "amber lanterns")
    assert [t.id for t in plain.tracks] == [t.id for t in edition.tracks]
    assert len({t.id for t in plain.tracks}) == 3
    given = merged(said("catalogue", tracks=tracks("Tide")), album_id="x")
    assert given.id == "x"
    assert given.tracks[0].id == derive("track", "x", "tide", 1)


def test_what_services_call_it_is_collected() -> None:
    album = merged(
        said("catalogue", ids={"spotify": "S"}, tracks=(TrackRecord(title="A", ids={"spotify": "T"}),)),
        said("critics", ids={"aoty": "7", "spotify": "wrong"}),
    )
    assert album.ids == {"aoty": "7", "spotify": "S"}
    assert album.tracks[0].spotify_id == "T"


def test_genres_and_moods_of_album_and_tracks_with_all_who_gave_them() -> None:
    listed = (TrackRecord(title="A", tags=(Tag(name="jazz", weight=1.0, level="track"),)), TrackRecord(title="B"))
    album = merged(
        said("critics", tags=(tag("Rock"), tag("seen live"))),
        said("listeners", tags=(tag("rock", 0.5), tag("melancholy"), tag("Paper Harbour")), tracks=listed),
    )
    assert (album.genres, album.moods) == (("rock", "jazz"), ("melancholic",))
    assert (album.provenance["genres"], album.provenance["moods"]) == ("critics+listeners", "listeners")
    first, second = album.tracks
    assert (first.genres, second.genres) == (("jazz", "rock"), ("rock",))
    assert (first.provenance["genres"], second.provenance["moods"]) == ("critics+listeners", "listeners")


def test_a_track_has_its_own_artists_or_its_albums() -> None:
    listed = (TrackRecord(title="A", artists=("One", "Two")), TrackRecord(title="B"))
    album = merged(
        said("catalogue", artist="Various Artists", tracks=listed),
        said("listeners", tracks=tracks("x", "B", artists=("Three",))),
    )
    assert [t.artist for t in album.tracks] == ["One, Two", "Three"]
    assert [t.provenance["artist"] for t in album.tracks] == ["catalogue", "listeners"]
    assert merged(said("catalogue", tracks=(TrackRecord(title="B"),))).tracks[0].artist == "The Amber Lanterns"


def test_a_row_names_whose_its_albums_values_are() -> None:
    album = merged(
        said("catalogue", release_date="2001", tracks=tracks("A")), said("critics", user_score=70, critic_score=60)
    )
    shown = album.tracks[0].provenance
    assert (shown["release_date"], shown["aoty_score"], shown["aoty_critic_score"]) == (
        "catalogue",
        "critics",
        "critics",
    )


def test_values_no_table_holds_never_get_through() -> None:
    bad = TrackRecord(
        title="\x00", duration_ms=-1, popularity=10**400, isrc="?", audio_features={"energy": float("nan"), "tempo": 0.0},
        track_number=1,
    )  # fmt: skip
    track = merged(said("catalogue", release_date="0000", upc="?", tracks=(bad,))).tracks[0]
    assert (track.title, track.duration_ms, track.popularity, track.isrc, track.audio_features) == (
        "[track 1]",
        None,
        None,
        None,
        {},
    )


def test_the_newest_word_of_a_source_counts() -> None:
    old, new = said("catalogue", label="Old"), said("catalogue", label="New", at=NOW + timedelta(days=1))
    assert merged(new, old).label == merged(old, new).label == "New"


def test_a_source_that_is_no_longer_registered_has_no_say() -> None:
    assert merged(said("gone", label="Gone"), said("catalogue")).label is None
    with pytest.raises(InvalidInputError, match="gone"):
        merged(said("gone"))
    with pytest.raises(InvalidInputError, match="nobody"):
        merged()


def test_an_album_needs_a_name() -> None:
    nameless = {"critics": replace(PROFILES["critics"], gives={"user_score": 1.0})}
    album = merged(said("critics", user_score=50), profiles=nameless)
    assert (album.title, album.provenance["title"]) == ("Paper Harbour", "critics")
    with pytest.raises(InvalidInputError, match="title"):
        merged(said("catalogue", title=" "))


TITLES = st.sampled_from(["Tide", "Quay", "Tide - Live", "Quay (Remastered)", "Intro", "÷", ""])
TAG = st.builds(
    Tag,
    name=st.sampled_from(["rock", "rap", "hip-hop", "sad", "happy", "x"]),
    weight=st.floats(0, 1),
    level=st.sampled_from(["album", "artist"]),
)
TRACK = st.builds(
    TrackRecord,
    title=TITLES,
    track_number=st.none() | st.integers(1, 5),
    duration_ms=st.none() | st.integers(0, 300_000),
    popularity=st.none() | st.integers(0, 100),
    audio_features=st.dictionaries(st.sampled_from(["energy", "tempo"]), st.floats()),
    tags=st.lists(TAG, max_size=3).map(tuple),
    ids=st.dictionaries(st.sampled_from(["spotify"]), st.sampled_from(["a", "b"])),
)
ALBUM = st.builds(
    AlbumRecord,
    title=st.sampled_from(["Paper Harbour", "Paper Harbor"]),
    artist=st.just("The Amber Lanterns"),
    release_date=st.none() | st.sampled_from(["1999", "2001-02-03", "0000"]),
    popularity=st.none() | st.integers(0, 100),
    tags=st.lists(TAG, max_size=6).map(tuple),
    tracks=st.lists(TRACK, max_size=5).map(tuple),
    ids=st.dictionaries(st.sampled_from(["spotify", "aoty"]), st.sampled_from(["a", "b"])),
)
RECORDS = st.lists(
    st.tuples(st.sampled_from(sorted(PROFILES)), ALBUM), min_size=1, max_size=5, unique_by=lambda pair: pair[0]
)


@given(RECORDS, st.randoms())
def test_the_order_of_records_changes_no_byte(pairs: Sequence[tuple[str, AlbumRecord]], rng: random.Random) -> None:
    records = [SourceRecord(source=s, rights=Rights.OPEN, fetched_at=NOW, album=a) for s, a in pairs]
    album = merged(*records)
    written = msgspec.json.encode(album)
    assert msgspec.json.encode(merged(*rng.sample(records, len(records)))) == written
    assert len({t.id for t in album.tracks}) == len(album.tracks)
    mappings: list[Mapping[str, object]] = [album.ids, album.provenance]
    mappings += [m for t in album.tracks for m in (t.provenance, t.audio_features)]
    assert all(list(m) == sorted(m) for m in mappings)
    assert len(album.genres) <= 3
    assert len(album.moods) <= 2


def test_who_tells_tracks_by_what_another_calls_them_is_laid_on_by_way_of_that_one() -> None:
    names = said(
        "listeners", tracks=(TrackRecord(title="One", ids={"x": "1"}), TrackRecord(title="Two", ids={"x": "2"}))
    )
    by_id = said("critics", title="", artist="", tracks=(TrackRecord(title="", ids={"x": "2"}, rating=9.0),))
    album = merged(said("catalogue", tracks=tracks("One", "Two")), names, by_id)
    assert [t.rating for t in album.tracks] == [None, 9.0]
