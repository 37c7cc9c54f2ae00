"""The two stand-in sources: found by any usual spelling, honest about what is made up, silent about other albums."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from backend.demo import catalogue
from backend.ingestion.demo_fetcher import DemoSource
from backend.ingestion.merger import merge
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import Source
from backend.ingestion.synthetic_fetcher import SyntheticSource
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumQuery, AlbumRecord, Rights, SourceRecord
from backend.utils.errors import MalformedReplyError, RecordNotFoundError

UNUSED = cast(Transport, None)  # neither source sends anything


async def ask(source: Source, query: AlbumQuery) -> AlbumRecord:
    return source.normalise(await source.fetch(query, UNUSED))


@pytest.mark.parametrize(
    ("album", "artist", "title"),
    [
        ("Abbey Road", "The Beatles", "Abbey Road"),
        ("abbey road", "beatles", "Abbey Road"),
        ("Abey Road", "The Beatles", "Abbey Road"),
        ("OK COMPUTER", "radiohead", "OK Computer"),
        ("Agaetis byrjun", "Sigur Ros", "Ágætis byrjun"),
        ("Siembra", "Ruben Blades", "Siembra"),
        ("1989 (Deluxe Edition)", "Taylor Swift", "1989"),
    ],
)
async def test_demo_finds_usual_spellings(album: str, artist: str, title: str) -> None:
    found = await ask(DemoSource(), AlbumQuery(album=album, artist=artist))

    assert found.title == title
    assert 0.5 < found.match_score <= 1.0
    assert (found.match_score == 1.0) == (album.casefold().startswith(("abbey", "ok", "agaetis")))


async def test_demo_finds_every_album_of_its_own_by_its_own_name() -> None:
    for album in catalogue.albums():
        assert await ask(DemoSource(), AlbumQuery(album=album.title, artist=album.artist)) == album


@pytest.mark.parametrize(
    ("album", "artist"),
    [("Abbey Road", "Taylor Swift"), ("Help!", "The Beatles"), ("1988", "Taylor Swift"), ("x", "y")],
)
async def test_demo_does_not_know_others(album: str, artist: str) -> None:
    with pytest.raises(RecordNotFoundError):
        await DemoSource().fetch(AlbumQuery(album=album, artist=artist), UNUSED)


async def test_synthetic_makes_values_up_for_what_the_demo_found() -> None:
    query = AlbumQuery(album="abbey road", artist="beatles")
    known = await ask(DemoSource(), query)

    found = await ask(SyntheticSource(), replace(query, known=known))

    assert [t.title for t in found.tracks] == [t.title for t in known.tracks]
    assert all(set(t.audio_features) == set(AUDIO_FEATURES) and t.popularity for t in found.tracks)
    assert found.user_score is not None
    assert found.critic_score is not None


@pytest.mark.parametrize(
    "known", [None, AlbumRecord(title="Help!", artist="The Beatles"), AlbumRecord(title="Abbey Road", artist="x")]
)
async def test_synthetic_makes_nothing_up_for_other_albums(known: AlbumRecord | None) -> None:
    query = AlbumQuery(album="Abbey Road", artist="The Beatles", known=known)

    with pytest.raises(RecordNotFoundError, match="demo catalogue only"):
        await SyntheticSource().fetch(query, UNUSED)


@pytest.mark.parametrize("source", [DemoSource(), SyntheticSource()], ids=lambda s: s.profile.name)
@pytest.mark.parametrize(
    ("payload", "part"),
    [
        ({}, "album"),
        ({"album": None}, r"\$"),
        ({"album": {"artist": "x"}}, "title"),
        ({"album": {"title": "x", "artist": "y", "tracks": [{}]}}, "title"),
        ({"album": {"title": "x", "artist": "y", "popularity": "much"}}, "popularity"),
    ],
)
def test_a_damaged_payload_is_refused_by_name(source: Source, payload: dict[str, Any], part: str) -> None:
    with pytest.raises(MalformedReplyError, match=part):
        source.normalise(payload)


async def test_merged_they_tell_facts_from_made_up_values() -> None:
    demo, synthetic = DemoSource(), SyntheticSource()
    query = AlbumQuery(album="Kind of Blue", artist="Miles Davis")
    known = await ask(demo, query)
    made_up = await ask(synthetic, replace(query, known=known))
    records = [
        SourceRecord(
            source=s.profile.name, rights=s.profile.rights, fetched_at=datetime(2024, 1, 1, tzinfo=UTC), album=r
        )
        for s, r in ((demo, known), (synthetic, made_up))
    ]

    album = merge(records, {s.profile.name: s.profile for s in (demo, synthetic)}, album_id=None, policy=MergePolicy())

    assert album.synthetic
    assert (album.provenance["release_date"], album.provenance["aoty_user_score"]) == ("demo", "synthetic")
    assert (album.genres, album.moods) == (
        ("modal jazz", "jazz", "cool jazz"),
        ("calm", "mellow", "atmospheric", "melancholic"),
    )
    assert [t.title for t in album.tracks] == [t.title for t in known.tracks]
    first = album.tracks[0]
    assert (first.provenance["title"], first.provenance["duration_ms"]) == ("demo", "demo")
    assert (first.provenance["energy"], first.provenance["popularity"]) == ("synthetic", "synthetic")
    assert set(first.audio_features) == set(AUDIO_FEATURES)


def test_both_are_stand_ins_and_say_what_may_be_done_with_them() -> None:
    demo, synthetic = DemoSource().profile, SyntheticSource().profile

    assert (demo.name, demo.rights, demo.stage, demo.stand_in) == ("demo", Rights.OPEN, "identity", True)
    assert (synthetic.name, synthetic.rights, synthetic.stage) == ("synthetic", Rights.SYNTHETIC, "enrichment")
    assert synthetic.stand_in
    assert all(
        demo.gives.get(f, 0) > synthetic.gives.get(f, 0) for f in ("title", "tracks", "release_date", "duration_ms")
    )
    assert "audio_features" not in demo.gives
    assert demo.terms
    assert synthetic.terms
