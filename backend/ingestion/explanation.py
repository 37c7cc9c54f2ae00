"""Why a value is what it is: what each source says of a field, and which of it was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from backend.ingestion import merged_tracks, merger
from backend.ingestion.field_choice import Tidy
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.merged_tracks import Places
from backend.ingestion.normalizer import tidy_features
from backend.ingestion.policy import ESTIMATE
from backend.ingestion.said import Said, counting
from backend.ingestion.vocabulary import Kind, tell
from backend.models.ingestion_models import (
    AUDIO_FEATURES,
    AlbumRecord,
    MergedAlbum,
    MergedTrack,
    RightsLevel,
    SourceRecord,
    Tag,
    TrackRecord,
)

_KINDS: Final = {"genres": Kind.GENRE, "moods": Kind.MOOD}
# Where a column of a row is called otherwise than the field of a record.
_FIELD_OF: Final = {column: name for name, column in merger.SHOWN_AS.items()} | {"artist": "artists"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one source says of one field.

    Attributes:
        source: who says it.
        value: tidied, as it would stand in the row; None when it cannot be used.
        rights: what its terms let one do with it.
        fetched_at: when it was last asked.
        trust: its precedence for the field; 0: what it says of it is not taken.
        chosen: whether the row has it.
        match: how the source's album was found.
        match_score: 0..1.
        raw: as the source measured it, where that differs.
    """

    source: str
    value: Any
    rights: str
    fetched_at: datetime
    trust: float
    chosen: bool
    match: str
    match_score: float
    raw: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One field of a row.

    Attributes:
        value: what the row has.
        source: whose it is; several joined by "+" for tags; "estimate" for what nobody measured.
        why: in words.
        interval: of an estimate, the range that holds the true value nine times in ten.
        said: what each permitted source says, the most trusted first.
    """

    value: Any
    source: str
    why: str
    interval: tuple[float, float] | None = None
    said: tuple[Statement, ...] = ()


def explain_album(
    records: Sequence[SourceRecord], *, merging: Merging, album_id: str, level: RightsLevel
) -> dict[str, Explained] | None:
    """Each field of an album's row; None when the album is not there at this level."""
    album = merging.levels(records, album_id=album_id).get(level)
    if album is None:
        return None
    said, fetched = _said(records, merging, level)
    found = {
        merger.SHOWN_AS.get(name, name): _explained(
            getattr(album, merger.SHOWN_AS.get(name, name)),
            album.provenance.get(merger.SHOWN_AS.get(name, name), ""),
            _statements(said, name, tidy, lambda s: s.album, fetched),
        )
        for name, tidy in merger.FIELDS.items()
    }
    tags = {s.source: [*s.album.tags, *(t for track in s.album.tracks for t in track.tags)] for s in said}
    return {**found, **_tags(album, album.provenance, said, tags, fetched)}


def explain_track(
    records: Sequence[SourceRecord], *, merging: Merging, album_id: str, track_id: str, level: RightsLevel
) -> dict[str, Explained] | None:
    """Each field of a track's row; None when the track is not there at this level."""
    album = merging.levels(records, album_id=album_id).get(level)
    track = next((t for t in album.tracks if t.id == track_id), None) if album is not None else None
    if track is None:
        return None
    places: Places = {}
    merger.merge_levels(records, merging.profiles, album_id=album_id, policy=merging.policy, places=places)
    said, fetched = _said(records, merging, level)
    own = _own(said, places, track_id)
    found: dict[str, Explained] = {}
    for column in ("title", "artist", *merged_tracks.FIELDS):
        if column == "artists":
            continue
        name = _FIELD_OF.get(column, column)
        tidy = merged_tracks.FIELDS.get(name, merger.FIELDS["title"])
        found[column] = _explained(
            getattr(track, column),
            track.provenance.get(column, ""),
            _statements(said, name, tidy, lambda s: own.get(s.source), fetched),
        )
    for name in AUDIO_FEATURES:
        found[name] = _explained(
            track.audio_features.get(name),
            track.provenance.get(name, ""),
            _features(said, name, own, fetched),
            interval=track.estimates.get(name),
        )
    tags = {s.source: [*(own[s.source].tags if s.source in own else ()), *s.album.tags] for s in said}
    return {**found, **_tags(track, track.provenance, said, tags, fetched)}


_Fetched = Mapping[str, datetime]
_About = AlbumRecord | TrackRecord


def _said(records: Sequence[SourceRecord], merging: Merging, level: RightsLevel) -> tuple[Sequence[Said], _Fetched]:
    said = counting(records, merging.profiles, policy=merging.policy, level=level)
    return said, {r.source: r.fetched_at for r in sorted(records, key=lambda r: r.fetched_at)}


def _own(said: Iterable[Said], places: Places, track_id: str) -> dict[str, TrackRecord]:
    """What each source says of the track."""
    indices = {source: index for (source, index), found in places.items() if found == track_id}
    return {s.source: s.album.tracks[indices[s.source]] for s in said if s.source in indices}


def _statements(
    said: Sequence[Said], name: str, tidy: Tidy, of: Callable[[Said], _About | None], fetched: _Fetched
) -> Iterator[Statement]:
    for s in said:
        about = of(s)
        # Where something is withheld, only what is believed is shown: others may repeat what they were asked with.
        shown = s.permits(name) if s.level is RightsLevel.ANY else s.trust(name) > 0
        if about is None or not shown or not (told := getattr(about, name)):
            continue
        yield _statement(s, name, tidy(told), fetched)


def _features(
    said: Sequence[Said], name: str, own: Mapping[str, TrackRecord], fetched: _Fetched
) -> Iterator[Statement]:
    for s in said:
        track = own.get(s.source)
        if track is not None and s.trust(name) > 0 and name in (usable := tidy_features(track.audio_features)):
            yield _statement(s, name, usable[name], fetched, raw=track.raw_features)


def _tags(
    row: MergedAlbum | MergedTrack,
    provenance: Mapping[str, str],
    said: Sequence[Said],
    tags: Mapping[str, Sequence[Tag]],
    fetched: _Fetched,
) -> dict[str, Explained]:
    found = {}
    for column, kind in _KINDS.items():
        told = []
        for s in said:
            weights: dict[str, float] = {}
            for tag in tags[s.source] if s.trust("tags") > 0 else ():
                if (word := tell(tag.name)).kind is kind:
                    weights[word.name] = max(weights.get(word.name, 0.0), tag.weight)
            if weights:
                told.append(_statement(s, "tags", weights, fetched))
        found[column] = _explained(list(getattr(row, column)), provenance.get(column, ""), told)
    return found


def _statement(
    s: Said, name: str, value: Any, fetched: _Fetched, *, raw: Mapping[str, float] | None = None
) -> Statement:
    return Statement(
        source=s.source,
        value=value,
        rights=s.profile.rights_to(name),
        fetched_at=fetched[s.source],
        trust=s.trust(name),
        chosen=False,
        match=s.album.match_method,
        match_score=s.album.match_score,
        raw=raw or {},
    )


def _explained(
    value: Any, source: str, statements: Iterable[Statement], *, interval: tuple[float, float] | None = None
) -> Explained:
    givers = set(source.split("+"))
    said = sorted(statements, key=lambda s: (-s.trust, s.source))
    told = tuple(replace(s, chosen=s.source in givers) for s in said)
    return Explained(value=value, source=source, why=_why(source, told), interval=interval, said=told)


def _why(source: str, said: Sequence[Statement]) -> str:
    usable = [s for s in said if s.trust > 0 and s.value is not None]
    if source == ESTIMATE:
        return "no permitted source measured it; estimated from what is known of the track"
    if not source:
        return "no permitted source says it" if not usable else "what is said of it cannot be used"
    if "+" in source:
        return f"laid together from {source.replace('+', ', ')}, each with its weight"
    if len(usable) <= 1:
        return f"{source} alone says it"
    first = next((s for s in usable if s.chosen), None)
    if first is None:
        return f"it comes from the album, which has it from {source}"
    others = ", ".join(f"{s.source} {s.trust:g}" for s in usable if not s.chosen)
    return f"{source} is trusted most with it ({first.trust:g}; {others})"
