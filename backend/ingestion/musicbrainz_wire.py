"""Reading MusicBrainz's JSON (musicbrainz.org/doc/MusicBrainz_API, /ws/2 with fmt=json). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from backend.ingestion.matcher import Candidate
from backend.models.ingestion_models import AlbumRecord, Level, Tag, TrackRecord
from backend.utils.errors import MalformedReplyError

Json = Mapping[str, Any]

_PSEUDO: Final = "Pseudo-Release"  # a translation or transliteration of a track list, never sold
_NO_LABEL: Final = "[no label]"
_SPOTIFY: Final = re.compile(r"open\.spotify\.com/album/([0-9A-Za-z]{22})")
_SPECIALS: Final = re.compile(r'([+\-&|!(){}\[\]^"~*?:\\/])')  # of Lucene's query syntax


def escaped(words: str) -> str:
    r"""Words as Lucene takes them for words.

    >>> escaped("AC/DC: Live (1992)")
    'AC\\/DC\\: Live \\(1992\\)'
    """
    return _SPECIALS.sub(r"\\\1", words)


def read_candidates(reply: Json) -> list[Candidate]:
    """The releases of a search, without pseudo-releases unless there is nothing else."""
    releases = reply.get("releases")
    if not isinstance(releases, Sequence):
        raise MalformedReplyError("MusicBrainz's search answered without releases")
    usable = [r for r in releases if r and r.get("id") and r.get("title")]
    sold = [r for r in usable if r.get("status") != _PSEUDO]
    return [
        Candidate(
            id=str(r["id"]),
            artist=credit(r),
            title=str(r["title"]),
            year=int(date[:4]) if re.match(r"[12]\d{3}", date := str(r.get("date") or "")) else None,
            total_tracks=r.get("track-count") if isinstance(r.get("track-count"), int) else None,
        )
        for r in sold or usable
    ]


def read_release(payload: Json) -> AlbumRecord:
    """The record of a payload as `MusicBrainzSource.fetch` puts it together.

    Raises:
        MalformedReplyError: the release has no id, title, artist or media.
    """
    release = payload.get("release")
    if not isinstance(release, Mapping):
        raise MalformedReplyError("there is no release in MusicBrainz's answer")
    missing = [name for name in ("id", "title", "artist-credit", "media") if not release.get(name)]
    if missing:
        raise MalformedReplyError(f"MusicBrainz's release has no {' and no '.join(missing)}")
    match = payload.get("match") or {}
    group = release.get("release-group") or {}
    own, first = str(release.get("date") or ""), str(group.get("first-release-date") or "")
    # By its barcode it is this very edition; found by name it may be any of the album's.
    exact = match.get("method") in {"upc", "mbid"}
    artists = [part.get("artist") or {} for part in release["artist-credit"]]
    return AlbumRecord(
        title=str(release["title"]),
        artist=credit(release),
        release_date=(own or first if exact else first or own) or None,
        label=next(_labels(release), None),
        upc=release.get("barcode") or None,
        tags=(*_tags([release, group], level="album"), *_tags(artists, level="artist")),
        tracks=tuple(_tracks(release["media"])),
        ids={"musicbrainz": str(release["id"])} | _spotify(release),
        artist_ids={"musicbrainz": str(artists[0]["id"])} if artists and artists[0].get("id") else {},
        url=f"https://musicbrainz.org/release/{release['id']}",
        match_method=str(match.get("method", "mbid")),
        match_score=float(match.get("score", 1.0)),
        match_penalties={str(k): float(v) for k, v in (match.get("penalties") or {}).items()},
    )


def credit(thing: Json) -> str:
    """The artists as they are credited, with what stands between them ("A feat. B")."""
    parts = thing.get("artist-credit") or []
    return "".join(f"{part.get('name') or ''}{part.get('joinphrase') or ''}" for part in parts if part).strip()


def _labels(release: Json) -> Iterator[str]:
    for info in release.get("label-info") or []:
        name = ((info or {}).get("label") or {}).get("name")
        if name and name != _NO_LABEL:
            yield str(name)


def _spotify(release: Json) -> dict[str, str]:
    for relation in release.get("relations") or []:
        match = _SPOTIFY.search(str(((relation or {}).get("url") or {}).get("resource") or ""))
        if match:
            return {"spotify": match[1]}
    return {}


def _tags(things: Sequence[Json], *, level: Level) -> Iterator[Tag]:
    """Genres and tags by votes, the most voted one weighing 1; those voted down (0 or less) are none."""
    votes: dict[str, int] = {}
    for thing in things:
        for tag in (*(thing.get("genres") or []), *(thing.get("tags") or [])):
            name, count = str(tag.get("name") or "").strip(), tag.get("count")
            if name and isinstance(count, int) and count > 0:
                votes[name] = max(votes.get(name, 0), count)
    most = max(votes.values(), default=1)
    yield from (Tag(name=name, weight=count / most, level=level) for name, count in sorted(votes.items()))


def _tracks(media: Sequence[Json]) -> Iterator[TrackRecord]:
    for place, medium in enumerate(media, 1):
        # A hidden track before the first one is number 0, and stands beside the others.
        pregap = [medium["pregap"]] if medium.get("pregap") else []
        for track in (*pregap, *(medium.get("tracks") or [])):
            recording = track.get("recording") or {}
            title = str(track.get("title") or recording.get("title") or "").strip()
            if not title or recording.get("video"):
                continue
            number, length = track.get("position"), track.get("length") or recording.get("length")
            # A recording may have several codes, by country and reissue; the first by name is the same one each time.
            isrcs = sorted(str(code) for code in recording.get("isrcs") or [])
            yield TrackRecord(
                title=title,
                artists=tuple(str(p["name"]) for p in track.get("artist-credit") or [] if p and p.get("name")),
                disc_number=int(medium.get("position") or place),
                track_number=number if isinstance(number, int) else None,
                duration_ms=length if isinstance(length, int) else None,
                isrc=isrcs[0] if isrcs else None,
                tags=tuple(_tags([recording], level="track")),
                ids={"musicbrainz": str(recording["id"])} if recording.get("id") else {},
            )
