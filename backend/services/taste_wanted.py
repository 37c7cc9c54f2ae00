"""What a listener plays and the catalogue lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backend.ingestion.titles import take_apart
from backend.models.tastes import PlayedAlbum
from backend.services.csv_cells import csv_rows


def lacking(
    albums: Sequence[PlayedAlbum],
    artists: tuple[Mapping[str, int], Mapping[str, str]],
    *,
    stored: Iterable[tuple[str, str]],
    limit: int,
) -> dict[str, Any]:
    """Albums and artists that are missing, the most played first.

    An edition of an album that is stored is not missing; several editions are wanted once, under the name that is played most.

    Args:
        albums: those played, the most first.
        artists: plays and spelling by folded name, the most played first.
        stored: folded artist and title of the catalogue's albums of these artists.
        limit: how many of each at most.
    """
    known = {(artist, take_apart(title).core) for artist, title in stored}
    of_whom = {artist for artist, _ in known}
    wanted: dict[tuple[str, str], PlayedAlbum] = {}
    for album in albums:
        name = (album.artist_key, take_apart(album.title).core)
        if name not in known:
            wanted.setdefault(name, album)
    first = list(wanted.values())[:limit]
    plays, names = artists
    return {
        "albums": [
            {"album": a.title, "artist": a.artist, "plays": a.plays, "artist_known": a.artist_key in of_whom}
            for a in first
        ],
        "artists": [{"name": names[key], "plays": plays[key]} for key in plays if key not in of_whom][:limit],
        "batch": {"albums": [[a.title, a.artist] for a in first]},
    }


def as_csv(found: Mapping[str, Any]) -> bytes:
    """The albums as `tensoe ingest --file` reads them."""
    rows = [(row["album"], row["artist"], str(row["plays"])) for row in found["albums"]]
    return csv_rows([("album", "artist", "plays"), *rows])
