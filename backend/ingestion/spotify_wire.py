"""Reading Spotify's JSON: every field that development mode or a takedown may drop is optional."""

from __future__ import annotations

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
                year=int(date[:4]) if date[:4].isdecimal() else None,
                total_tracks=item.get("total_tracks"),
            )
        )
    return found


def read_album(payload: Json) -> AlbumRecord:
    """The record of a payload as `SpotifySource.fetch` puts it together.

    Raises:
        MalformedReplyError: the album has no id, or no track list.
    """
    album = payload.get("album")
    if not isinstance(album, Mapping) or not album.get("id"):
        raise MalformedReplyError("Spotify's album has no id")
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
        title=str(album.get("name") or ""),
        artist=_credit(album),
        release_date=album.get("release_date"),
        label=album.get("label") or None,
        upc=external.get("upc") or external.get("ean"),
        popularity=album.get("popularity"),
        tags=tuple(Tag(name=str(g), weight=1.0, level="artist") for g in artist.get("genres") or []),
        tracks=tuple(_track(t, full.get(t.get("id"), {}), features.get(t.get("id"), {})) for t in page["items"] if t),
        ids={"spotify": str(album["id"])},
        artist_ids={"spotify": str(artists[0]["id"])} if artists and artists[0].get("id") else {},
        url=(album.get("external_urls") or {}).get("spotify"),
        match_method="id" if match.get("score") is None else "name",
        match_score=float(match.get("score", 1.0)),
    )


def _track(simple: Json, full: Json, features: Json) -> TrackRecord:
    explicit = simple.get("explicit")
    return TrackRecord(
        title=str(simple.get("name") or ""),
        artists=tuple(str(a["name"]) for a in simple.get("artists") or [] if a and a.get("name")),
        disc_number=simple.get("disc_number") or 1,
        track_number=simple.get("track_number"),
        duration_ms=simple.get("duration_ms"),
        explicit=explicit if isinstance(explicit, bool) else None,
        popularity=full.get("popularity"),
        isrc=(full.get("external_ids") or {}).get("isrc"),
        audio_features={
            name: float(features[name]) for name in AUDIO_FEATURES if isinstance(features.get(name), int | float)
        },
        ids={"spotify": str(simple["id"])} if simple.get("id") else {},
    )


def _credit(thing: Json) -> str:
    """The artists of an album as it is credited: the first; of several, all."""
    return ", ".join(str(a["name"]) for a in thing.get("artists") or [] if a and a.get("name"))
