"""Reading Deezer's JSON (developers.deezer.com/api), which has its errors in bodies of status 200. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from backend.ingestion.matcher import Candidate
from backend.ingestion.transport import Reply
from backend.models.ingestion_models import AlbumRecord, Tag, TrackRecord
from backend.utils.errors import (
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ServerFaultError,
)

Json = Mapping[str, Any]

_QUOTA, _BUSY, _NO_DATA = 4, 700, 800  # developers.deezer.com/api/errors
_REFERENCE: Final = -18.0  # dB LUFS that ReplayGain 2.0 brings a track to: its gain is how far the track is from it
_RANKS: Final = 10_000  # of Deezer's rank, 0 to 1,000,000, to a point of popularity


def check(reply: Reply, has: str) -> None:
    """Raise what an answer says."""
    if reply.is_fault:
        return
    found = reply.json()
    if not isinstance(found, dict):
        raise MalformedReplyError(f"{reply.url} answered no JSON object")
    error = found.get("error")
    if isinstance(error, Mapping):
        code, message = error.get("code"), str(error.get("message") or error.get("type"))[:200]
        if code == _QUOTA:
            raise RateLimitedError(f"Deezer says: {message}")
        if code == _BUSY:
            raise ServerFaultError(f"Deezer says: {message}")
        if code == _NO_DATA:
            raise RecordNotFoundError(f"Deezer knows nothing at {reply.url}")
        raise RejectedError(f"Deezer answered error {code}: {message}")
    if reply.status == 404:
        raise RecordNotFoundError(f"Deezer knows nothing at {reply.url}")
    if reply.status != 200:
        raise RejectedError(f"Deezer answered {reply.status}")
    if has not in found:
        raise MalformedReplyError(f"{reply.url} answered without {has}")


def read_candidates(reply: Json) -> list[Candidate]:
    """The albums of a search."""
    rows = reply.get("data")
    if not isinstance(rows, Sequence):
        raise MalformedReplyError("Deezer's search answered without data")
    return [
        Candidate(
            id=str(row["id"]),
            artist=str((row.get("artist") or {}).get("name") or ""),
            title=str(row["title"]),
            total_tracks=row.get("nb_tracks") or None,
        )
        for row in rows
        if row and row.get("id") and row.get("title")
    ]


def read_album(payload: Json) -> AlbumRecord:
    """The record of a payload as `DeezerSource.fetch` puts it together.

    Raises:
        MalformedReplyError: the album has no id, title, artist or tracks.
    """
    album = payload.get("album")
    if not isinstance(album, Mapping):
        raise MalformedReplyError("there is no album in Deezer's answer")
    missing = [name for name in ("id", "title", "artist") if not album.get(name)]
    if missing:
        raise MalformedReplyError(f"Deezer's album has no {' and no '.join(missing)}")
    match, artist = payload.get("match") or {}, album["artist"]
    genres = (album.get("genres") or {}).get("data") or []
    return AlbumRecord(
        title=str(album["title"]),
        artist=str(artist.get("name") or ""),
        release_date=album.get("release_date") or None,
        label=album.get("label") or None,
        upc=album.get("upc") or None,
        tags=tuple(Tag(name=str(g["name"]), weight=1.0, level="album") for g in genres if g and g.get("name")),
        tracks=tuple(_tracks(listed(album), payload.get("details") or {})),
        ids={"deezer": str(album["id"])},
        artist_ids={"deezer": str(artist["id"])} if artist.get("id") else {},
        url=album.get("link") or None,
        match_method=str(match.get("method", "id")),
        match_score=float(match.get("score", 1.0)),
        match_penalties={str(k): float(v) for k, v in (match.get("penalties") or {}).items()},
    )


def listed(album: Json) -> list[dict[str, Any]]:
    """The tracks of an album.

    Raises:
        MalformedReplyError: there is no list of them.
    """
    rows = (album.get("tracks") or {}).get("data")
    if not isinstance(rows, list):
        raise MalformedReplyError("Deezer's album has no track list (tracks.data)")
    return [row for row in rows if row and row.get("title")]


def _tracks(rows: Sequence[Json], details: Json) -> Iterator[TrackRecord]:
    for place, row in enumerate(rows, 1):
        more = details.get(str(row.get("id"))) or {}
        # Asked by its ISRC a recording may come as it stands on another album: its numbers are that album's.
        own = more if str(more.get("id")) == str(row.get("id")) else {}
        seconds, rank, explicit = row.get("duration"), row.get("rank"), row.get("explicit_lyrics")
        # 0 beats a minute mean: not measured. Gain is always there, the more negative the louder the track.
        raw = {
            k: float(v) for k in ("bpm", "gain") if isinstance(v := more.get(k), int | float) and (k == "gain" or v > 0)
        }
        features = {"tempo": raw["bpm"]} if "bpm" in raw else {}
        if "gain" in raw:
            features["loudness"] = _REFERENCE - raw["gain"]
        artist = (row.get("artist") or {}).get("name")
        yield TrackRecord(
            title=str(row["title"]),
            artists=(str(artist),) if artist else (),
            disc_number=row.get("disk_number") or own.get("disk_number") or 1,
            # The list is in order; numbers stand in the tracks' own entries alone.
            track_number=row.get("track_position") or own.get("track_position") or place,
            duration_ms=seconds * 1000 if isinstance(seconds, int) and seconds > 0 else None,
            explicit=explicit if isinstance(explicit, bool) else None,
            popularity=min(100, round(rank / _RANKS)) if isinstance(rank, int) and rank > 0 else None,
            isrc=row.get("isrc") or more.get("isrc") or None,
            audio_features=features,
            raw_features=raw,
            ids={"deezer": str(row["id"])} if row.get("id") else {},
        )
