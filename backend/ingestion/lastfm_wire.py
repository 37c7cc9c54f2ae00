"""Reading Last.fm's JSON, a mechanical translation of XML.

Numbers come as strings or numbers, one item comes bare instead of in a list, an empty container may be "" or missing.
Wire forms: www.last.fm/api, lastfm-docs.github.io/api-docs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from backend.ingestion.popularity import LASTFM_FULL, from_listeners
from backend.models.ingestion_models import AlbumRecord, Level, Tag, TrackRecord
from backend.utils.errors import MalformedReplyError
from backend.utils.text import fold

Json = Mapping[str, Any]


def listed(container: object, name: str) -> list[Json]:
    """The items of a container: a list, a bare item, or nothing.

    >>> listed({"tag": {"name": "rock"}}, "tag"), listed("", "tag"), listed({"tag": []}, "tag")
    ([{'name': 'rock'}], [], [])
    """
    items = container.get(name) if isinstance(container, Mapping) else None
    if isinstance(items, Mapping):
        return [items]
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def number(value: object) -> int | None:
    """A count that comes as a string or a number; None when it is neither.

    >>> number("509271"), number(3), number(""), number("FIXME")
    (509271, 3, None, None)
    """
    try:
        found = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return int(found) if math.isfinite(found) else None


def name_of(artist: object) -> str:
    """An artist's name, which stands as text or within an object."""
    if isinstance(artist, Mapping):
        artist = artist.get("name") or artist.get("#text")
    return artist.strip() if isinstance(artist, str) else ""


def rank_of(item: Json) -> int | None:
    """The place of an item in its list, from 1."""
    attributes = item.get("@attr")
    return number(attributes.get("rank")) if isinstance(attributes, Mapping) else None


def read_tags(reply: object, level: Level) -> list[Tag]:
    """The tags of a getTopTags reply, whose root is `toptags` or, in older replies, `tags`; weights 0..1.

    Raises:
        MalformedReplyError: neither root is there.
    """
    root = next((r for r in ("toptags", "tags") if isinstance(reply, Mapping) and r in reply), None)
    if root is None or not isinstance(reply, Mapping):
        raise MalformedReplyError("Last.fm's tags have neither toptags nor tags")
    tags = [(str(t.get("name") or "").strip(), number(t.get("count"))) for t in listed(reply[root], "tag")]
    # Replies without counts (getTags) are in falling order.
    return [
        Tag(name=name, weight=min(100, max(1, count if count is not None else 100 - 2 * i)) / 100, level=level)
        for i, (name, count) in enumerate(tags)
        if name
    ]


def read_album(payload: Json) -> AlbumRecord:
    """The record of a payload as `LastfmSource.fetch` puts it together.

    Raises:
        MalformedReplyError: the album has no name or artist, or tags have no root.
    """
    album = payload.get("album")
    if not isinstance(album, Mapping) or not album.get("name") or not name_of(album.get("artist")):
        raise MalformedReplyError("Last.fm's album has no name or no artist")
    spoken = {fold(str(t.get("name") or "")): t for t in reversed(listed(album.get("tracks"), "track"))}
    url = str(album.get("url") or "") or None
    match = payload.get("match") or {}
    listeners = number(album.get("listeners"))
    return AlbumRecord(
        title=str(album["name"]).strip(),
        artist=name_of(album["artist"]),
        listeners=listeners,
        popularity=from_listeners(listeners, full=LASTFM_FULL),
        tags=(*read_tags(payload.get("album_tags"), "album"), *read_tags(payload.get("artist_tags"), "artist")),
        tracks=tuple(_track(t, spoken.get(fold(t["title"]), {})) for t in payload.get("tracks") or []),
        ids={"lastfm": url} if url else {},
        url=url,
        match_method=str(match.get("method", "name")),
        match_score=float(match.get("score", 1.0)),
        match_penalties=dict(match.get("penalties") or {}),
    )


def _track(asked: Json, spoken: Json) -> TrackRecord:
    """A track as it was asked about, with what the album's list, its own entry and its tags say of it.

    Lengths are seconds in the album's list and milliseconds in a track's entry; 0 is unknown in both.
    """
    info = asked.get("info")
    info = info if isinstance(info, Mapping) else {}
    seconds, listeners = number(spoken.get("duration")), number(info.get("listeners"))
    # With `autocorrect` the artist comes back as he is spelt there.
    artist = _echoed(asked["tags"]) or name_of(info.get("artist"))
    return TrackRecord(
        title=str(asked["title"]),
        artists=(artist,) if artist else (),
        disc_number=asked["disc"],
        track_number=asked["number"],
        duration_ms=seconds * 1000 if seconds else number(info.get("duration")) or None,
        listeners=listeners,
        popularity=from_listeners(listeners, full=LASTFM_FULL),
        tags=tuple(read_tags(asked["tags"], "track")),
    )


def _echoed(reply: Json) -> str:
    """The artist that tags were answered for."""
    root = reply.get("toptags") or reply.get("tags")
    attributes = root.get("@attr") if isinstance(root, Mapping) else None
    return name_of(attributes.get("artist")) if isinstance(attributes, Mapping) else ""
