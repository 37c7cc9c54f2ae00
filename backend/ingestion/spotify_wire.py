"""Reading Spotify's JSON: every field that development mode or a takedown may drop is optional."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from backend.ingestion.matcher import Candidate
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumRecord, Tag, TrackRecord
from backend.utils.errors import MalformedReplyError

Json = Mapping[str, Any]


def read_candidates(reply: Json) -> list[Candidate]:
    """The albums of a search reply; nulls among them are passed over."""
    page = reply.get("albums")
    if not isinstance(page, Mapping) or not isinstance(page.get("items"), list):
        raise MalformedReplyError("Spotify's search answered without albums.items")
    found = []
    for item in page["items"]:
        if not item or not item.get("id") or not item.get("name"):
            continue
        date = str(item.get("release_date") or "")
        found.append(
            Candidate(
                id=str(item["id"]),
                artist=_credit(item),
                title=str(item["name"]),
                year=int(date[:4]) if re.match(r"[12]\d{3}", date) else None,
                total_tracks=_whole(item.get("total_tracks")),
            )
        )
    return found


def read_album(payload: Json) -> AlbumRecord:
    """The record of a payload as `SpotifySource.fetch` puts it together.

    Raises:
        MalformedReplyError: the album has no id, name, artist or track list.
    """
    album = payload.get("album")
    if not isinstance(album, Mapping):
        raise MalformedReplyError("there is no album in Spotify's answer")
    missing = [field for field in ("id", "name", "artists") if not album.get(field)]
    if missing:
        raise MalformedReplyError(f"Spotify's album has no {' and no '.join(missing)}")
    page = album.get("tracks")
    if not isinstance(page, Mapping) or not isinstance(page.get("items"), list):
        raise MalformedReplyError("Spotify's album has no track list (tracks.items)")
    full = {t["id"]: t for t in payload.get("tracks") or [] if t and t.get("id")}
    features = {f["id"]: f for f in payload.get("audio_features") or [] if f and f.get("id")}
    artist = payload.get("artist") or {}
    artists = [a for a in album.get("artists") or [] if a]
    external = album.get("external_ids") or {}
    match = payload.get("match") or {}
    return AlbumRecord(
        title=str(album["name"]),
        artist=_credit(album),
        release_date=_date(album),
        label=album.get("label") or None,
        upc=external.get("upc") or external.get("ean"),
        popularity=_whole(album.get("popularity")),
        tags=tuple(Tag(name=str(g), weight=1.0, level="artist") for g in artist.get("genres") or []),
        # A track without a name was taken down.
        tracks=tuple(
            _track(t, full.get(t.get("id"), {}), features.get(t.get("id"), {}))
            for t in page["items"]
            if t and t.get("name")
        ),
        ids={"spotify": str(album["id"])},
        artist_ids={"spotify": str(artists[0]["id"])} if artists and artists[0].get("id") else {},
        url=(album.get("external_urls") or {}).get("spotify"),
        match_method=str(match.get("method", "id")),
        match_score=float(match.get("score", 1.0)),
    )


def _track(simple: Json, full: Json, features: Json) -> TrackRecord:
    explicit = simple.get("explicit")
    return TrackRecord(
        title=str(simple["name"]),
        artists=tuple(str(a["name"]) for a in simple.get("artists") or [] if a and a.get("name")),
        disc_number=_whole(simple.get("disc_number")) or 1,
        track_number=_whole(simple.get("track_number")),
        duration_ms=_whole(simple.get("duration_ms")) or None,
        explicit=explicit if isinstance(explicit, bool) else None,
        popularity=_whole(full.get("popularity")),
        isrc=(full.get("external_ids") or {}).get("isrc"),
        audio_features={
            name: float(features[name]) for name in AUDIO_FEATURES if isinstance(features.get(name), int | float)
        },
        ids={"spotify": str(simple["id"])} if simple.get("id") else {},
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _date(album: Json) -> str | None:
    """The release date, as precise as it says to be; Spotify writes 0000 for an unknown year.

    >>> _date({"release_date": "1969-01-01", "release_date_precision": "year"}), _date({"release_date": "0000"})
    ('1969', None)
    """
    date = str(album.get("release_date") or "")
    length = {"year": 4, "month": 7}.get(str(album.get("release_date_precision")), 10)
    return date[:length] if re.fullmatch(r"[12]\d{3}(-\d\d){0,2}", date) else None


def _credit(thing: Json) -> str:
    """The artists of an album as it is credited: the first; of several, all."""
    return ", ".join(str(a["name"]) for a in thing.get("artists") or [] if a and a.get("name"))
