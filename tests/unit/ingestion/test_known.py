"""What earlier stages found, laid together; audio features on one scale."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.ingestion.audio_scales import choose_features, same_octave, settle_tempo
from backend.ingestion.known import lay_together
from backend.ingestion.policy import MergePolicy
from backend.ingestion.said import Said
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AlbumRecord, Rights, SourceRecord, TrackRecord

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GIVES = {"title": 1.0, "tracks": 1.0, "audio_features": 1.0}
PROFILES = {
    "shop": SourceProfile(name="shop", rights=Rights.RESTRICTED, gives=GIVES),
    "library": SourceProfile(name="library", rights=Rights.OPEN, gives=dict.fromkeys(GIVES, 0.5)),
    "ears": SourceProfile(name="ears", rights=Rights.OPEN, gives={"audio_features": 0.3}),
}


def said(source: str, *tracks: TrackRecord, **album: Any) -> SourceRecord:
    record = AlbumRecord(**{"title": f"Album of {source}", "artist": "A", "tracks": tracks, **album})
    return SourceRecord(source=source, rights=PROFILES[source].rights, fetched_at=NOON, album=record)


def known(*records: SourceRecord) -> AlbumRecord | None:
    return lay_together(records, PROFILES, policy=MergePolicy())


def test_nobody_knows_anything_at_first() -> None:
    assert known() is None


def test_names_are_the_most_trusted_s_and_identifiers_everybody_s() -> None:
    found = known(
        said(
            "library",
            TrackRecord(title="one", isrc="X", ids={"l": "1"}),
            upc="123",
            ids={"l": "a"},
            release_date="1969",
        ),
        said("shop", TrackRecord(title="One", duration_ms=5, ids={"s": "1"}), ids={"s": "b"}),
    )
    assert found is not None
    assert (found.title, found.upc, found.release_date, found.ids) == (
        "Album of shop",
        "123",
        "1969",
        {"s": "b", "l": "a"},
    )
    (track,) = found.tracks
    assert (track.title, track.duration_ms, track.isrc, track.ids) == ("One", 5, "X", {"s": "1", "l": "1"})


def test_who_tells_tracks_by_another_s_identifiers_adds_to_them() -> None:
    found = known(
        said("shop", TrackRecord(title="One", track_number=1)),
        said("library", TrackRecord(title="One", track_number=1, ids={"l": "1"})),
        said("ears", TrackRecord(title="", ids={"l": "1"}, audio_features={"tempo": 90.0}), title="", artist=""),
    )
    assert found is not None
    assert found.tracks[0].audio_features == {"tempo": 90.0}
    assert found.title == "Album of shop"


@pytest.mark.parametrize(
    ("tempos", "settled"),
    [
        ([174.0], 174.0),
        ([174.0, 87.0], 174.0),  # one against one: the more trusted one
        ([174.0, 87.2, 86.9], 87.0),
        ([87.0, 174.2, 173.0], 174.0),
        ([174.0, 87.2, 86.9, 173.9, 174.1], 174.0),
        ([120.0, 90.0, 90.0], 120.0),  # no octave
    ],
)
def test_tempos_go_into_the_octave_that_most_agree_on(tempos: list[float], settled: float) -> None:
    assert settle_tempo(tempos) == settled


def test_octaves() -> None:
    assert [same_octave(t, 140.0) for t in (35.0, 70.0, 139.0, 280.0)] == [140.0, 140.0, 139.0, 140.0]


def test_features_are_chosen_one_by_one() -> None:
    records = {
        "shop": TrackRecord(title="One", audio_features={"energy": 0.9}),
        "library": TrackRecord(title="One", audio_features={"energy": 0.1, "valence": 0.2, "tempo": 0.0}),
        "ears": TrackRecord(title="One", audio_features={"tempo": 100.0, "mood": 1.0}),
    }
    telling = [Said(name, AlbumRecord(title="", artist=""), PROFILES[name]) for name in records]
    values, givers = choose_features(records, telling)
    assert values == {"energy": 0.9, "valence": 0.2, "tempo": 100.0}
    assert givers == {"energy": "shop", "valence": "library", "tempo": "ears"}
