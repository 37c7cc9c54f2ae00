"""What the sources without a key know of the music of `music`: their identifiers, made up."""

from __future__ import annotations

import uuid

from backend.models.ingestion_models import AlbumQuery, AlbumRecord, TrackRecord
from tests.fakes.music import ARTIST, HARBOUR, Album, Song

UPC = {"4lbum01000000000000000": "0602445000011"}


def mbid(kind: str, key: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}:{key}"))


def isrc(song: Song) -> str:
    return f"ZZTST{song.disc:02d}{song.number:05d}"


def spotify_id(song: Song) -> str:
    return song.id.ljust(22, "0")


def known(album: Album = HARBOUR, popularity: int | None = None, **features: float) -> AlbumRecord:
    """What others found of an album before: names, numbers and all identifiers."""
    return AlbumRecord(
        title=album.title,
        artist=ARTIST,
        release_date=album.date,
        upc=UPC.get(album.id),
        ids={"spotify": album.id},
        tracks=tuple(
            TrackRecord(
                title=s.title, disc_number=s.disc, track_number=s.number, duration_ms=s.seconds * 1000,
                isrc=isrc(s), ids={"spotify": spotify_id(s), "musicbrainz": mbid("recording", s.id)},
                popularity=popularity, audio_features=features,
            )
            for s in album.songs
        ),
    )  # fmt: skip


def query(album: Album = HARBOUR, popularity: int | None = None, **features: float) -> AlbumQuery:
    return AlbumQuery(album=album.title, artist=ARTIST, known=known(album, popularity, **features))
