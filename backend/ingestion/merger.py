"""One truth per field: an album's row as a pure function of what the sources said and of how far each is trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from backend.ingestion import normalizer as tidy
from backend.ingestion.matcher import align, title_key
from backend.ingestion.source import SourceProfile
from backend.ingestion.tag_sorter import Said, TagSorter
from backend.models.ingestion_models import MergedAlbum, MergedTrack, Rights, SourceRecord, TrackRecord
from backend.utils.errors import InvalidInputError
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
    "artists": tidy.tidy_names,
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
# Columns of a track's row that hold its album's value.
_FROM_ALBUM: Final = {
    "release_date": "release_date",
    "aoty_score": "aoty_user_score",
    "aoty_critic_score": "aoty_critic_score",
}


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

    Raises:
        InvalidInputError: no record is of a source with a profile, or none has a title and an artist.
    """
    said = _counting(records, profiles)
    values, provenance = _choose(said, _ALBUM, lambda s: s.album)
    title, artist = (_named(said, field, values, provenance) for field in ("title", "artist"))
    keys = fold_name(artist), fold_name(title)
    album_id = album_id or derive("album", *keys)
    sorter = TagSorter(said, artist=artist, album=title, max_genres=max_genres, max_moods=max_moods)
    genres, moods, whence = sorter.album()
    provenance = {_SHOWN_AS.get(k, k): v for k, v in provenance.items()}
    tracks = tuple(_tracks(said, sorter, album_id=album_id, album=title, artist=artist, shared=_of_rows(provenance)))
    provenance |= whence
    if tracks and (listed := _lister(said)):
        provenance["tracks"] = listed.source
    ids = {k: v for s in reversed(said) for k, v in s.album.ids.items()}
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


def _counting(records: Sequence[SourceRecord], profiles: Mapping[str, SourceProfile]) -> list[Said]:
    """The records that count, most trusted with names first; a source that is no longer registered has no say."""
    newest = {r.source: r for r in sorted(records, key=lambda r: r.fetched_at)}
    said = [Said(r.source, r.album, profiles[r.source]) for r in newest.values() if r.source in profiles]
    real = [s for s in said if not s.profile.stand_in]
    if not said:
        raise InvalidInputError(
            f"no registered source says anything of this album; said by: {sorted(newest) or 'nobody'}"
        )
    return sorted(real or said, key=lambda s: (-s.trust("title"), s.source))


def _named(said: Sequence[Said], field: str, values: Mapping[str, str | None], provenance: dict[str, str]) -> str:
    """The album's title or artist: an album needs both, so when no trusted source has one, any other's is taken."""
    if name := values[field]:
        return name
    for s in said:
        if name := tidy.tidy_text(getattr(s.album, field)):
            provenance[field] = s.source
            return name
    raise InvalidInputError(f"no source knows the {field} of this album; said by: {', '.join(s.source for s in said)}")


def _of_rows(provenance: Mapping[str, str]) -> dict[str, str]:
    """Whose those values of a track are that it has from its album."""
    shown = {"album": provenance["title"], "artist": provenance["artist"]}
    for field, of_album in _FROM_ALBUM.items():
        if of_album in provenance:
            shown[field] = provenance[of_album]
    return shown


def _choose(
    said: Sequence[Said], fields: Mapping[str, Tidy], of: Callable[[Said], object]
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


def _lister(said: Sequence[Said]) -> Said | None:
    """The source whose track list is taken."""
    listing = [s for s in said if s.album.tracks and s.trust("tracks") > 0]
    return min(listing, key=lambda s: (-s.trust("tracks"), s.source), default=None)


def _tracks(
    said: Sequence[Said], sorter: TagSorter, *, album_id: str, album: str, artist: str, shared: Mapping[str, str]
) -> Iterator[MergedTrack]:
    lister = _lister(said)
    if lister is None:
        return
    seen: Counter[str] = Counter()
    for place, of_sources in enumerate(_partners(lister, said)):
        track = of_sources[lister.source]
        number = _number(of_sources, said) or place + 1
        title = tidy.tidy_text(track.title) or f"[track {number}]"  # names go empty after a takedown
        key = title_key(title)
        seen[key] += 1
        values, provenance = _choose(said, _TRACK, lambda s: of_sources.get(s.source))  # noqa: B023 - used at once
        genres, moods, whence = sorter.track(of_sources)
        names = values.pop("artists") or tidy.tidy_names(track.artists)
        ids = {k: v for s in reversed(said) if s.source in of_sources for k, v in of_sources[s.source].ids.items()}
        listed = {"title": lister.source, "track_number": lister.source}
        yield MergedTrack(
            id=derive("track", album_id, key, seen[key]),
            title=title,
            artist=names or artist,
            album=album,
            disc_number=track.disc_number,
            track_number=number,
            spotify_id=ids.get("spotify"),
            genres=genres,
            moods=moods,
            provenance=dict(sorted(_renamed({**shared, **provenance, **whence, **listed}).items())),
            **{**values, "audio_features": values["audio_features"] or {}},
        )


def _partners(lister: Said, said: Sequence[Said]) -> Iterator[dict[str, TrackRecord]]:
    """What each source says of each track of the list, in the list's order of disc and number."""
    last = 1_000_000
    reference = sorted(lister.album.tracks, key=lambda t: (t.disc_number, t.track_number or last))
    partners = [{lister.source: track} for track in reference]
    for s in said:
        if s is not lister and s.album.tracks:
            for theirs, ours in align(reference, s.album.tracks).items():
                partners[ours][s.source] = s.album.tracks[theirs]
    return iter(partners)


def _number(of_sources: Mapping[str, TrackRecord], said: Sequence[Said]) -> int | None:
    """The number on the album: the list's own, else that of the source most trusted with lists."""
    by_trust = sorted((s for s in said if s.source in of_sources), key=lambda s: (-s.trust("tracks"), s.source))
    return next((n for s in by_trust if (n := of_sources[s.source].track_number)), None)


def _renamed(provenance: dict[str, str]) -> dict[str, str]:
    """Track artists stand in the column `artist`."""
    own = provenance.pop("artists", None)
    return provenance | {"artist": own} if own else provenance


def _is_synthetic(*provenances: Mapping[str, str], profiles: Mapping[str, SourceProfile]) -> bool:
    named = {source for provenance in provenances for sources in provenance.values() for source in sources.split("+")}
    return any(profiles[source].rights is Rights.SYNTHETIC for source in named)
