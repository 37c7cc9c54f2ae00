"""One truth per field: an album's row as a pure function of what the sources said and of how far each is trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backend.ingestion import normalizer as tidy
from backend.ingestion.matcher import align, title_key
from backend.ingestion.source import SourceProfile
from backend.ingestion.vocabulary import tell
from backend.models.ingestion_models import (
    AlbumRecord,
    MergedAlbum,
    MergedTrack,
    Rights,
    SourceRecord,
    Tag,
    TrackRecord,
)
from backend.utils.identifiers import derive
from backend.utils.text import fold_name

Tidy = Callable[[Any], Any]

_ALBUM: Final[Mapping[str, Tidy]] = {
    "title": tidy.tidy_text,
    "artist": tidy.tidy_text,
    "release_date": tidy.tidy_date,
    "label": tidy.tidy_text,
    "upc": tidy.tidy_upc,
    "popularity": tidy.tidy_popularity,
    "listeners": tidy.tidy_count,
    "critic_score": tidy.tidy_share,
    "critic_count": tidy.tidy_count,
    "user_score": tidy.tidy_share,
    "user_count": tidy.tidy_count,
}
_TRACK: Final[Mapping[str, Tidy]] = {
    "duration_ms": tidy.tidy_duration,
    "explicit": lambda value: value if isinstance(value, bool) else None,
    "popularity": tidy.tidy_popularity,
    "listeners": tidy.tidy_count,
    "rating": tidy.tidy_share,
    "isrc": tidy.tidy_isrc,
    "audio_features": lambda value: tidy.tidy_features(value) or None,
}
_SHOWN_AS: Final = {
    "critic_score": "aoty_critic_score",
    "critic_count": "aoty_critic_count",
    "user_score": "aoty_user_score",
    "user_count": "aoty_user_count",
}


@dataclass(frozen=True, slots=True)
class _Said:
    """A source's record and how far the source is trusted."""

    source: str
    album: AlbumRecord
    profile: SourceProfile

    def trust(self, field: str) -> float:
        return self.profile.gives.get(field, 0.0)


def merge(
    records: Sequence[SourceRecord],
    profiles: Mapping[str, SourceProfile],
    *,
    album_id: str | None,
    max_genres: int,
    max_moods: int,
) -> MergedAlbum:
    """Merge what the sources said of an album; the order of the records does not matter.

    Stand-ins count only while no other source knows the album. For each field the source with the highest precedence that
    has a usable value wins. The track list is that of the source most trusted with tracks; others fill its fields.

    Args:
        records: one per source, at least one.
        profiles: of all sources that the records name.
        album_id: the stored album's; None derives one from the names.
        max_genres: the most genres an album or a track keeps.
        max_moods: likewise.
    """
    said = _counting(records, profiles)
    values, provenance = _choose(said, _ALBUM, lambda s: s.album)
    title, artist = values["title"] or "", values["artist"] or ""
    keys = fold_name(artist), fold_name(title)
    album_id = album_id or derive("album", *keys)
    sorter = _Sorter(said, artist=artist, album=title, max_genres=max_genres, max_moods=max_moods)
    genres, moods, whence = sorter.album()
    tracks = tuple(_tracks(said, sorter, album_id=album_id, album=title, artist=artist))
    ids = {k: v for s in reversed(said) for k, v in s.album.ids.items()}
    provenance = {_SHOWN_AS.get(k, k): v for k, v in provenance.items()} | whence
    if tracks and (listed := _lister(said)):
        provenance["tracks"] = listed.source
    return MergedAlbum(
        id=album_id,
        title=title,
        artist=artist,
        artist_id=derive("artist", keys[0]),
        title_key=keys[1],
        artist_key=keys[0],
        release_date=values["release_date"],
        label=values["label"],
        upc=values["upc"],
        popularity=values["popularity"],
        listeners=values["listeners"],
        aoty_critic_score=values["critic_score"],
        aoty_critic_count=values["critic_count"],
        aoty_user_score=values["user_score"],
        aoty_user_count=values["user_count"],
        genres=genres,
        moods=moods,
        ids=dict(sorted(ids.items())),
        provenance=dict(sorted(provenance.items())),
        synthetic=_is_synthetic(provenance, *(t.provenance for t in tracks), profiles=profiles),
        tracks=tracks,
    )


def _counting(records: Sequence[SourceRecord], profiles: Mapping[str, SourceProfile]) -> list[_Said]:
    """The records that count, most trusted with names first."""
    said = [_Said(r.source, r.album, profiles[r.source]) for r in records]
    real = [s for s in said if not s.profile.stand_in]
    return sorted(real or said, key=lambda s: (-s.trust("title"), s.source))


def _choose(
    said: Sequence[_Said], fields: Mapping[str, Tidy], of: Callable[[_Said], object]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The winning value of each field, and whose it is."""
    values: dict[str, Any] = {}
    provenance: dict[str, str] = {}
    for field, tidy_value in fields.items():
        values[field] = None
        for s in sorted(said, key=lambda s: (-s.trust(field), s.source)):
            thing = of(s)
            value = tidy_value(getattr(thing, field)) if thing is not None and s.trust(field) > 0 else None
            if value is not None:
                values[field], provenance[field] = value, s.source
                break
    return values, provenance


class _Sorter:
    """Sorts the tags of one album and its tracks."""

    def __init__(self, said: Sequence[_Said], *, artist: str, album: str, max_genres: int, max_moods: int) -> None:
        self._limits = {"artist": artist, "album": album, "max_genres": max_genres, "max_moods": max_moods}
        # By name, so that sums of weights come out the same in whatever order the records came.
        self._said = sorted((s for s in said if s.trust("tags") > 0), key=lambda s: s.source)
        self._shared = [(s.source, t, s.trust("tags")) for s in self._said for t in s.album.tags]

    def album(self) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]:
        """Genres and moods of the album: its own tags, its artist's, and its tracks' added up."""
        of_tracks = [
            (s.source, Tag(name=t.name, weight=t.weight / len(s.album.tracks), level="track"), s.trust("tags"))
            for s in self._said
            for track in s.album.tracks
            for t in track.tags
        ]
        return self._sort([*self._shared, *of_tracks])

    def track(self, said: Mapping[str, TrackRecord]) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]:
        """Genres and moods of a track: its own tags, backed by its album's and artist's."""
        own = [(s.source, t, s.trust("tags")) for s in self._said if s.source in said for t in said[s.source].tags]
        return self._sort([*own, *self._shared])

    def _sort(self, tags: Sequence[tuple[str, Tag, float]]) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]:
        found = tidy.sort_tags([(t, trust) for _, t, trust in tags], **self._limits)  # type: ignore[arg-type]  # one dict of two types
        whence = {}
        for field, names in (("genres", found.genres), ("moods", found.moods)):
            if names:
                kept = set(names)
                whence[field] = "+".join(sorted({source for source, t, _ in tags if tell(t.name).name in kept}))
        return found.genres, found.moods, whence


def _lister(said: Sequence[_Said]) -> _Said | None:
    """The source whose track list is taken."""
    listing = [s for s in said if s.album.tracks and s.trust("tracks") > 0]
    return min(listing, key=lambda s: (-s.trust("tracks"), s.source), default=None)


def _tracks(said: Sequence[_Said], sorter: _Sorter, *, album_id: str, album: str, artist: str) -> Iterator[MergedTrack]:
    lister = _lister(said)
    if lister is None:
        return
    reference = lister.album.tracks
    partners = {
        s.source: {i: s.album.tracks[j] for j, i in align(reference, s.album.tracks).items()}
        for s in said
        if s is not lister and s.album.tracks
    }
    partners[lister.source] = dict(enumerate(reference))
    seen: Counter[str] = Counter()
    for i, track in enumerate(reference):
        title = (
            tidy.tidy_text(track.title) or f"[track {track.track_number or i + 1}]"
        )  # names go empty after a takedown
        key = title_key(title)
        seen[key] += 1
        of_sources = {source: tracks[i] for source, tracks in partners.items() if i in tracks}
        values, provenance = _choose(said, _TRACK, lambda s: of_sources.get(s.source))  # noqa: B023 - used at once
        genres, moods, whence = sorter.track(of_sources)
        artists = [name for name in map(tidy.tidy_text, track.artists) if name]
        ids = {k: v for s in reversed(said) if s.source in of_sources for k, v in of_sources[s.source].ids.items()}
        yield MergedTrack(
            id=derive("track", album_id, key, seen[key]),
            title=title,
            artist=", ".join(artists) or artist,
            album=album,
            disc_number=track.disc_number,
            track_number=track.track_number or i + 1,
            spotify_id=ids.get("spotify"),
            genres=genres,
            moods=moods,
            provenance=dict(sorted({**provenance, **whence, "title": lister.source}.items())),
            **{**values, "audio_features": values["audio_features"] or {}},
        )


def _is_synthetic(*provenances: Mapping[str, str], profiles: Mapping[str, SourceProfile]) -> bool:
    named = {source for provenance in provenances for sources in provenance.values() for source in sources.split("+")}
    return any(profiles[source].rights is Rights.SYNTHETIC for source in named)
