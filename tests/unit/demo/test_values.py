"""Made-up values are stable, complete, in range, and near each other where the music is."""

from __future__ import annotations

from statistics import mean

import pytest

from backend.demo import catalogue
from backend.demo.sound import CENTRES, MEASURES, centre
from backend.demo.values import make_up
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumRecord

ALBUMS = {album.title: album for album in catalogue.albums()}


def _mean(title: str, feature: str) -> float:
    return mean(t.audio_features[feature] for t in make_up(ALBUMS[title]).tracks)


def test_are_the_same_every_time_and_on_every_machine() -> None:
    first = make_up(ALBUMS["Kind of Blue"])

    assert first == make_up(ALBUMS["Kind of Blue"])
    assert first.tracks[0].audio_features["tempo"] == 94.98
    assert (first.critic_score, first.user_score, first.user_count) == (81.0, 79.0, 23270)


@pytest.mark.parametrize("album", catalogue.albums(), ids=lambda a: a.title)
def test_are_complete_and_in_range(album: AlbumRecord) -> None:
    made_up = make_up(album)

    assert [(t.title, t.disc_number, t.track_number) for t in made_up.tracks] == [
        (t.title, t.disc_number, t.track_number) for t in album.tracks
    ]
    assert 50 <= (made_up.user_score or 0) <= 100
    assert 50 <= (made_up.critic_score or 0) <= 100
    assert made_up.critic_count
    assert made_up.user_count
    for track in made_up.tracks:
        features = track.audio_features
        assert set(features) == set(AUDIO_FEATURES)
        assert 0 < (track.popularity or 0) <= 100
        assert -40 <= features["loudness"] <= 0
        assert 50 <= features["tempo"] <= 210
        assert features["key"] in range(12)
        assert features["mode"] in (0, 1)
        assert features["time_signature"] in (3, 4)
        assert all(0 <= features[name] <= 1 for name in MEASURES if name not in ("loudness", "tempo"))


def test_state_no_fact() -> None:
    made_up = make_up(ALBUMS["Abbey Road"])

    assert (made_up.release_date, made_up.label, made_up.tags) == (None, None, ())
    assert all(t.duration_ms is None and t.isrc is None and not t.tags for t in made_up.tracks)


def test_tracks_of_an_album_differ() -> None:
    assert len({tuple(t.audio_features.values()) for t in make_up(ALBUMS["Abbey Road"]).tracks}) == 17


def test_genres_sound_as_they_do() -> None:
    assert _mean("Master of Puppets", "energy") > 0.7 > _mean("The Blue Notebooks", "energy")
    assert _mean("Kind of Blue", "acousticness") > _mean("Nevermind", "acousticness")
    assert _mean("Illmatic", "speechiness") > _mean("Rumours", "speechiness")
    assert _mean("Master of Puppets", "loudness") > _mean("Glassworks", "loudness")


def test_a_compound_genre_lies_with_the_longest_it_contains() -> None:
    assert centre(["swedish black metal"]) == CENTRES["black metal"]
    assert centre(["alternative r&b"]) == CENTRES["r and b"]
    assert centre(["no such word"]) == centre([])


def test_moods_move_the_centre() -> None:
    energy, valence = MEASURES.index("energy"), MEASURES.index("valence")

    assert centre(["rock", "calm"])[energy] < centre(["rock"])[energy] < centre(["rock", "energetic"])[energy]
    assert centre(["rock", "melancholic"])[valence] < centre(["rock"])[valence]
