"""Made-up albums: the same bytes for the same seed everywhere, and shaped like real ones."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from statistics import mean

import msgspec
import pytest

from backend.demo.generator import generate
from backend.demo.names import artist_name
from backend.ingestion.vocabulary import Kind, tell
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumRecord, TrackRecord
from backend.utils.text import fold_name

DIGEST = "df34c2bcb85e9b83f108afaf953d2f8a39cd2652b4ddb0bbef3572c6758563be"  # of the first 200 albums of seed 0
_DIGEST_IN_ANOTHER_PROCESS = """
import hashlib, msgspec
from backend.demo.generator import generate
print(hashlib.sha256(msgspec.json.encode(list(generate(200)))).hexdigest())
"""


@pytest.fixture(scope="module")
def albums() -> list[AlbumRecord]:
    return list(generate(3000, seed=7))


@pytest.fixture(scope="module")
def tracks(albums: list[AlbumRecord]) -> list[TrackRecord]:
    return [track for album in albums for track in album.tracks]


def test_same_seed_same_bytes() -> None:
    assert hashlib.sha256(msgspec.json.encode(list(generate(200)))).hexdigest() == DIGEST


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_same_bytes_in_another_process(hash_seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DIGEST_IN_ANOTHER_PROCESS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == DIGEST


def test_another_seed_gives_others() -> None:
    assert list(generate(5, seed=1)) != list(generate(5, seed=2))


def test_fewer_are_the_first_of_more() -> None:
    assert list(generate(10)) == list(islice(generate(2_000), 10))
    assert list(generate(0)) == []
    assert len(list(generate(1_500))) == 1_500


def test_records_survive_json(albums: list[AlbumRecord]) -> None:
    some = albums[:50]

    assert msgspec.json.decode(msgspec.json.encode(some), type=list[AlbumRecord]) == some


def test_no_album_is_there_twice(albums: list[AlbumRecord]) -> None:
    assert len({(fold_name(a.artist), fold_name(a.title)) for a in albums}) == len(albums)


def test_artists_are_all_different() -> None:
    assert len({fold_name(artist_name(number)) for number in range(30_000)}) == 30_000


def test_no_isrc_is_there_twice_or_anybodys(tracks: list[TrackRecord]) -> None:
    isrcs = [t.isrc or "" for t in tracks]

    assert len(set(isrcs)) == len(isrcs)
    assert all(len(isrc) == 12 and isrc.startswith("ZZ") for isrc in isrcs)


def test_artists_have_one_to_six_albums(albums: list[AlbumRecord]) -> None:
    counts = Counter(a.artist for a in albums[:-10])

    assert min(counts.values()) >= 1
    assert max(counts.values()) == 6


def test_sizes_are_as_in_reality(albums: list[AlbumRecord]) -> None:
    sizes = Counter(len(a.tracks) for a in albums)

    assert 0.03 < (sizes[1] + sizes[2]) / len(albums) < 0.10
    assert 0.005 < sizes[40] / len(albums) < 0.03
    assert 8.5 < mean(len(a.tracks) for a in albums) < 11.5
    large = next(a for a in albums if len(a.tracks) == 40)
    assert [(t.disc_number, t.track_number) for t in large.tracks][19:21] == [(1, 20), (2, 1)]


def test_titles_within_an_album_differ(albums: list[AlbumRecord]) -> None:
    assert all(len({t.title for t in a.tracks}) == len(a.tracks) for a in albums)
    assert any(not t.title.isascii() for a in albums for t in a.tracks)
    assert any(not a.artist.isascii() for a in albums)


def test_values_are_in_range(albums: list[AlbumRecord], tracks: list[TrackRecord]) -> None:
    for track in tracks:
        features = track.audio_features
        assert not features or set(features) == set(AUDIO_FEATURES)
        assert track.popularity is None or 0 <= track.popularity <= 100
        assert track.duration_ms is None or 20_000 <= track.duration_ms <= 2_400_000
        for name, value in features.items():
            low, high = {"loudness": (-60, 0), "tempo": (40, 220), "key": (0, 11), "time_signature": (3, 4)}.get(
                name, (0, 1)
            )
            assert low <= value <= high, name
    for album in albums:
        assert 0 <= (album.popularity or 0) <= 100
        assert 1956 <= int((album.release_date or "")[:4]) <= 2024


def test_values_are_missing_as_in_reality(albums: list[AlbumRecord], tracks: list[TrackRecord]) -> None:
    def share(found: list[bool]) -> float:
        return sum(found) / len(found)

    assert 0.04 < share([not t.audio_features for t in tracks]) < 0.14
    assert 0.01 < share([t.popularity is None for t in tracks]) < 0.06
    assert 0.01 < share([t.duration_ms is None for t in tracks]) < 0.05
    assert 0.25 < share([a.critic_score is None for a in albums]) < 0.45
    assert 0.05 < share([a.user_score is None for a in albums]) < 0.16
    assert 0.02 < share([not a.tags for a in albums]) < 0.10
    assert 0.08 < share([len(a.release_date or "") == 4 for a in albums]) < 0.25
    assert all((a.critic_score is None) == (a.critic_count is None) for a in albums)


def test_genres_sound_different(albums: list[AlbumRecord]) -> None:
    def of(genre: str, feature: str) -> float:
        found = [t.audio_features[feature] for a in albums if a.tags and a.tags[1].name == genre
                 for t in a.tracks if t.audio_features]  # fmt: skip
        return mean(found)

    assert of("metal", "energy") > of("rock", "energy") > of("jazz", "energy")
    assert of("jazz", "acousticness") > of("electronic", "acousticness") + 0.2
    assert of("hip hop", "speechiness") > 2 * of("country", "speechiness")


def test_tracks_of_an_album_lie_nearer_than_those_of_its_genre(albums: list[AlbumRecord]) -> None:
    rock = [[t.audio_features["valence"] for t in a.tracks if t.audio_features]
            for a in albums if a.tags and a.tags[1].name == "rock"]  # fmt: skip
    rock = [values for values in rock if len(values) > 3]
    of_all = [v for values in rock for v in values]

    def spread(values: list[float]) -> float:
        middle = mean(values)
        return mean(abs(v - middle) for v in values)

    assert mean(map(spread, rock)) < 0.9 * spread(of_all)


def test_popularity_is_skewed_and_years_have_a_trend(albums: list[AlbumRecord]) -> None:
    popularity = sorted(t.popularity for a in albums for t in a.tracks if t.popularity is not None)
    loud = {late: mean(t.audio_features["loudness"] for a in albums for t in a.tracks
                       if t.audio_features and (int((a.release_date or "")[:4]) >= 2000) is late)
            for late in (False, True)}  # fmt: skip

    assert popularity[len(popularity) // 2] < mean(popularity) < 50
    assert popularity[-1] > 80
    assert loud[True] > loud[False] + 1


def test_hip_hop_is_explicit_more_often_and_nothing_was_before_1986(albums: list[AlbumRecord]) -> None:
    def explicit(genre: str) -> float:
        flags = [t.explicit for a in albums if a.tags and a.tags[1].name == genre
                 for t in a.tracks if t.explicit is not None]  # fmt: skip
        return sum(flags) / len(flags)

    assert explicit("hip hop") > 0.3 > 0.1 > explicit("folk")
    assert not any(t.explicit for a in albums if (a.release_date or "") < "1985" for t in a.tracks)


def test_tags_are_of_the_vocabulary(albums: list[AlbumRecord]) -> None:
    kinds = {(tag.name, tell(tag.name)) for a in albums for tag in a.tags}

    assert all(word.name == name and word.kind in (Kind.GENRE, Kind.MOOD) for name, word in kinds)
