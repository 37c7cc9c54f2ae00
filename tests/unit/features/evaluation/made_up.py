"""A small catalogue in whose playlists tracks of like sound, of like artists, stand together."""

from __future__ import annotations

import numpy as np

from backend.features.columns import CONTINUOUS

SCENES = 4
ARTISTS = 24


def playlists_csv(*, lists: int = 30, length: int = 14, tracks: int = 240, seed: int = 3) -> str:
    """A file of playlists with audio features; each playlist is of one scene, which has artists and a sound of its own."""
    rng = np.random.default_rng(seed)
    head = ["playlist_id", "track_id", "track_name", "track_artist", "track_album_id", "track_album_release_date",
            "track_popularity", "playlist_genre", *CONTINUOUS]  # fmt: skip
    artist = rng.integers(0, ARTISTS, tracks)
    scene = artist % SCENES
    sound = rng.random((SCENES, len(CONTINUOUS)))[scene] + rng.normal(0, 0.15, (tracks, len(CONTINUOUS)))
    year = 1970 + 10 * scene + rng.integers(0, 6, tracks)
    popularity = rng.integers(0, 101, tracks)
    lines = [",".join(head)]
    for number in range(lists):
        of = number % SCENES
        lines += [
            f"p{number:02},t{i:03},Song {i},Artist {artist[i]},a{artist[i]}{i % 3},{year[i]}-01-01,{popularity[i]},scene {of},"
            + ",".join(f"{x:.4f}" for x in sound[i])
            for i in rng.choice(np.flatnonzero(scene == of), length, replace=False).tolist()
        ]
    return "\n".join(lines) + "\n"


def tags_csv() -> str:
    """Tags of the artists: each bears its scene's, and one that all bear."""
    lines = ["artist,tag,count"]
    for number in range(ARTISTS):
        lines += [f"Artist {number},scene {number % SCENES},{3 + number % 5}", f"artist {number},music,9"]
    return "\n".join(lines) + "\n"


def plays_csv(*, listeners: int = 40, artists: int = 60, each: int = 12, seed: int = 5) -> str:
    """Who plays whom: each listener mostly artists of one scene."""
    rng = np.random.default_rng(seed)
    lines = ["userID,artist,plays"]
    for listener in range(listeners):
        near = np.where(np.arange(artists) % SCENES == listener % SCENES, 12.0, 1.0)
        chosen = rng.choice(artists, each, replace=False, p=near / near.sum()).tolist()
        lines += [f"{listener},Artist {artist},{rng.integers(1, 500)}" for artist in chosen]
    return "\n".join(lines) + "\n"
