"""Reading Spotify's JSON: every field that development mode or a takedown may drop is optional."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from backend.ingestion.matcher import Candidate
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumRecord, Tag, TrackRecord
from backend.utils.errors import MalformedReplyError

Json = Mapping[str, Any]


def listed(value: object) -> list[dict[str, Any]]:
    """The objects of a list; nulls among them, and what is no list, are passed over."""
    return [item for item in value if isinstance(item, dict) and item] if isinstance(value, list) else []


def track_id(track: Json) -> str | None:
    """A track's id as the album has it: relinking to another market's copy hides it in `linked_from`; local files have none."""
    if track.get("is_local") is True:
        return None
    return _text(_object(track.get("linked_from")).get("id")) or _text(track.get("id"))


def following(page: Json, *, so_far: int) -> int | None:
    """Where the next page begins; None when there is none.

    `next` has the last word, as `total` also counts what does not come; of its address only the offset is taken.

    >>> following({"next": None, "total": 99}, so_far=3), following({"next": "/x?offset=50", "total": 3}, so_far=49)
    (None, 50)
    >>> following({"total": 99}, so_far=50), following({"total": 50}, so_far=50)
    (50, None)
    """
    if "next" not in page:
        return so_far if so_far < (_whole(page.get("total")) or 0) else None
    if not page["next"]:
        return None
    try:
        offset = parse_qs(urlsplit(str(page["next"])).query).get("offset", [""])[0]
    except ValueError:
        offset = ""
    return int(offset) if re.fullmatch(r"[0-9]{1,9}", offset) else so_far


def read_candidates(reply: Json) -> list[Candidate]:
    """The albums of a search reply; nulls among them are passed over."""
    page = reply.get("albums")
    if not isinstance(page, Mapping) or not isinstance(page.get("items"), list):
        raise MalformedReplyError("Spotify's search answered without albums.items")
    found = []
    for item in listed(page["items"]):
        if not item.get("id") or not item.get("name"):
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
    missing = [field for field in ("id", "name") if not album.get(field)]
    missing += [] if _credit(album) else ["artists with names"]
    if missing:
        raise MalformedReplyError(f"Spotify's album has no {' and no '.join(missing)}")
    page = album.get("tracks")
    if not isinstance(page, Mapping) or not isinstance(page.get("items"), list):
        raise MalformedReplyError("Spotify's album has no track list (tracks.items)")
    full = _by_id(payload.get("tracks"))
    features = _by_id(payload.get("audio_features"))
    artists = [a for a in listed(album.get("artists")) if a.get("id")]
    external = _object(album.get("external_ids"))
    match = _object(payload.get("match"))
    return AlbumRecord(
        title=str(album["name"]),
        artist=_credit(album),
        release_date=_date(album),
        label=_text(album.get("label")),
        upc=_text(external.get("upc")) or _text(external.get("ean")),
        popularity=_whole(album.get("popularity")),
        tags=tuple(Tag(name=g, weight=1.0, level="artist") for g in _genres(payload.get("artist"))),
        # A track without a name was taken down.
        tracks=tuple(
            _track(t, full.get(track_id(t), {}), features.get(track_id(t), {}))
            for t in _once(listed(page["items"]))
            if _text(t.get("name"))
        ),
        ids={"spotify": str(album["id"])},
        artist_ids={"spotify": str(artists[0]["id"])} if artists else {},
        url=_text(_object(album.get("external_urls")).get("spotify")),
        match_method=str(match.get("method", "id")),
        match_score=float(match.get("score", 1.0)),
        match_penalties={str(k): float(v) for k, v in _object(match.get("penalties")).items()},
    )


def _track(simple: Json, full: Json, features: Json) -> TrackRecord:
    explicit, key = simple.get("explicit"), track_id(simple)
    return TrackRecord(
        title=str(simple["name"]),
        artists=tuple(name for a in listed(simple.get("artists")) if (name := _text(a.get("name")))),
        disc_number=_whole(simple.get("disc_number")) or 1,
        track_number=_whole(simple.get("track_number")),
        duration_ms=_whole(simple.get("duration_ms")) or None,
        explicit=explicit if isinstance(explicit, bool) else None,
        popularity=_whole(full.get("popularity")),
        isrc=_text(_object(full.get("external_ids")).get("isrc")),
        audio_features={
            name: float(features[name])
            for name in AUDIO_FEATURES
            if isinstance(features.get(name), int | float) and not isinstance(features[name], bool)
        },
        ids={"spotify": key} if key else {},
    )


def _by_id(things: object) -> dict[str | None, Json]:
    """Objects by their own id and by the one they were asked for under."""
    found: dict[str | None, Json] = {}
    for thing in listed(things):
        for key in (_text(thing.get("id")), track_id(thing)):
            if key:
                found[key] = thing
    return found


def _once(tracks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each place of the album once: pages that overlap repeat some."""
    places: dict[object, dict[str, Any]] = {}
    for position, track in enumerate(tracks):
        key = track_id(track)
        place = (key, track.get("disc_number"), track.get("track_number")) if key else position
        places.setdefault(repr(place), track)
    return list(places.values())


def _genres(artist: object) -> list[str]:
    genres = _object(artist).get("genres")
    return [g.strip() for g in genres if isinstance(g, str) and g.strip()] if isinstance(genres, list) else []


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


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
    return ", ".join(str(a["name"]) for a in listed(thing.get("artists")) if a.get("name"))
