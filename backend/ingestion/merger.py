"""One truth per field: an album's row as a pure function of what the sources said and of how far each is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from backend.ingestion import normalizer as tidy
from backend.ingestion.alignment import recording_key, title_key
from backend.ingestion.audio_scales import choose_features
from backend.ingestion.concordance import Concordance
from backend.ingestion.policy import MergePolicy, rights_to
from backend.ingestion.said import Said, by_trust, counting
from backend.ingestion.source import SourceProfile
from backend.ingestion.tag_sorter import TagSorter
from backend.models.ingestion_models import MergedAlbum, MergedTrack, Rights, RightsLevel, SourceRecord, TrackRecord
from backend.utils.errors import InvalidInputError
from backend.utils.identifiers import derive
from backend.utils.text import fold_name

Tidy = Callable[[Any], Any]
Levels = Mapping[RightsLevel, MergedAlbum]
"""An album at each level of rights at which anybody says what it is called."""
_Ids = dict[tuple[str, int], str]
"""The id of the track that a source has at a place of its list."""

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
# Columns that hold what a service calls the track, by the service's key in `ids`.
_IDENTIFIERS: Final = {"spotify_id": "spotify", "recording_mbid": "musicbrainz"}


def merge_levels(
    records: Sequence[SourceRecord],
    profiles: Mapping[str, SourceProfile],
    *,
    album_id: str | None,
    policy: MergePolicy,
) -> dict[RightsLevel, MergedAlbum]:
    """Merge what the sources said of an album, once per level of rights; the order of the records does not matter.

    At each level the values of sources that are not permitted are replaced by the best permitted one or left out; what is the
    same track at two levels has the same id at both.

    Args:
        records: one per source, at least one.
        profiles: of all sources that the records name.
        album_id: the stored album's; None derives one from the names.
        policy: who is believed on what, and how many tags are kept.

    Raises:
        InvalidInputError: no record is of a source with a profile, or none has a title and an artist.
    """
    said = counting(records, profiles, policy=policy)
    if not said:
        names = sorted({r.source for r in records})
        raise InvalidInputError(f"no registered source says anything of this album; said by: {names or 'nobody'}")
    ids: _Ids = {}
    whole = _merge(said, Concordance.of(said), profiles, album_id=album_id, ids=ids)
    if whole is None:
        lacking = [f for f in ("title", "artist") if not _value(said, f, lambda s: s.album, _ALBUM[f], anybody=True)[0]]
        said_by = ", ".join(s.source for s in said)
        raise InvalidInputError(f"no source knows the {' and the '.join(lacking)} of this album; said by: {said_by}")
    levels = {RightsLevel.ANY: whole}
    for level in (RightsLevel.NONCOMMERCIAL, RightsLevel.OPEN):
        if _withholds_nothing(level, said):
            levels[level] = whole
            continue
        permitted = counting(records, profiles, policy=policy, level=level)
        merged = _merge(permitted, Concordance.of(permitted), profiles, album_id=whole.id, ids=ids)
        if merged is not None:
            levels[level] = merged
    return levels


def merge(
    records: Sequence[SourceRecord],
    profiles: Mapping[str, SourceProfile],
    *,
    album_id: str | None,
    policy: MergePolicy,
    level: RightsLevel = RightsLevel.ANY,
) -> MergedAlbum:
    """The album at one level; see `merge_levels`.

    Raises:
        InvalidInputError: as there; also when nobody permitted knows its title and artist.
    """
    levels = merge_levels(records, profiles, album_id=album_id, policy=policy)
    if level not in levels:
        raise InvalidInputError(f"no source whose values are {level} knows the title and the artist of this album")
    return levels[level]


def _withholds_nothing(level: RightsLevel, said: Sequence[Said]) -> bool:
    """Whether all that these sources give is permitted."""
    return all(
        level.permits(rights_to(s.profile, name))
        for s in said
        for name in (*s.profile.gives, "title", "artist", "tracks", "ids")
    )


def _merge(
    said: Sequence[Said],
    concordance: Concordance | None,
    profiles: Mapping[str, SourceProfile],
    *,
    album_id: str | None,
    ids: _Ids,
) -> MergedAlbum | None:
    """The album from these sources; None when none of them knows its title and artist."""
    values, provenance = _choose(said, _ALBUM, lambda s: s.album)
    for name in ("title", "artist"):
        # An album needs both: when no trusted source has one, any other's is taken.
        if not values[name]:
            values[name], giver = _value(said, name, lambda s: s.album, _ALBUM[name], anybody=True)
            provenance[name] = giver
    title, artist = values["title"], values["artist"]
    if not title or not artist:
        return None
    keys = fold_name(artist), fold_name(title)
    album_id = album_id or derive("album", *keys)
    policy = said[0].policy
    sorter = TagSorter(said, artist=artist, album=title, max_genres=policy.max_genres, max_moods=policy.max_moods)
    tags = sorter.album()
    provenance = {_SHOWN_AS.get(k, k): v for k, v in provenance.items()}
    tracks = tuple(
        _tracks(
            said,
            concordance,
            sorter,
            names=(album_id, title, artist),
            shared=_of_rows(provenance),
            ids=ids,
        )
    )
    provenance |= tags.givers
    if tracks and concordance:
        provenance["tracks"] = concordance.lister
    named = {k: (v, s.source) for s in reversed(said) if s.permits("ids") for k, v in s.album.ids.items()}
    if named:
        provenance["ids"] = "+".join(sorted({giver for _, giver in named.values()}))
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
        genres=tags.genres,
        moods=tags.moods,
        ids={k: v for k, (v, _) in sorted(named.items())},
        provenance=dict(sorted(provenance.items())),
        synthetic=_is_synthetic(provenance, *(t.provenance for t in tracks), profiles=profiles),
        tracks=tracks,
    )


def _of_rows(provenance: Mapping[str, str]) -> dict[str, str]:
    """Whose those values of a track are that it has from its album."""
    shown = {"album": provenance["title"], "artist": provenance["artist"]}
    for name, of_album in _FROM_ALBUM.items():
        if of_album in provenance:
            shown[name] = provenance[of_album]
    return shown


def _choose(
    said: Sequence[Said], names: Mapping[str, Tidy], of: Callable[[Said], object]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The winning value of each field, and whose it is."""
    values: dict[str, Any] = {}
    provenance: dict[str, str] = {}
    for name, tidy_value in names.items():
        values[name], giver = _value(said, name, of, tidy_value)
        if giver:
            provenance[name] = giver
    return values, provenance


def _value(
    said: Sequence[Said], name: str, of: Callable[[Said], object], tidy_value: Tidy, *, anybody: bool = False
) -> tuple[Any, str]:
    """The first usable value by trust, and whose it is.

    Args:
        said: who says something.
        name: the field.
        of: the record of a source that has it.
        tidy_value: makes None of what cannot be used.
        anybody: also take it from those who are not believed on it, if it may be shown.
    """
    for s in by_trust(said, name):
        if s.trust(name) <= 0 and not (anybody and s.permits(name)):
            continue
        thing = of(s)
        value = tidy_value(getattr(thing, name)) if thing is not None else None
        if value is not None:
            return value, s.source
    return None, ""


def _tracks(
    said: Sequence[Said],
    concordance: Concordance | None,
    sorter: TagSorter,
    *,
    names: tuple[str, str, str],
    shared: Mapping[str, str],
    ids: _Ids,
) -> Iterator[MergedTrack]:
    if concordance is None:
        return
    album_id, album, album_artist = names
    seen: Counter[str] = Counter()
    used: set[str] = set()
    for place, row in enumerate(concordance.rows):
        of_sources = concordance.of_sources(row, said)
        lister = concordance.lister
        track = of_sources[lister]
        number = _number(of_sources, said) or place + 1
        title = tidy.tidy_text(track.title) or f"[track {number}]"  # names go empty after a takedown
        key = title_key(title)
        seen[key] += 1
        values, provenance = _choose(said, _TRACK, lambda s: of_sources.get(s.source))  # noqa: B023 - used at once
        features, givers = choose_features(of_sources, said)
        tags = sorter.track(of_sources)
        artist = values.pop("artists") or tidy.tidy_names(track.artists) or album_artist
        called, callers = _called(of_sources, said)
        listed = {"title": lister, "track_number": lister}
        track_id = _track_id(row, ids, used, otherwise=derive("track", album_id, key, seen[key]))
        yield MergedTrack(
            id=track_id,
            title=title,
            artist=artist,
            album=album,
            disc_number=track.disc_number,
            track_number=number,
            spotify_id=called.get("spotify_id"),
            recording_mbid=called.get("recording_mbid"),
            recording_key=recording_key(artist, title),
            genres=tags.genres,
            moods=tags.moods,
            tag_weights=tags.weights,
            mood_valence=tags.valence,
            mood_arousal=tags.arousal,
            audio_features=features,
            provenance=dict(
                sorted(_renamed({**shared, **provenance, **givers, **tags.givers, **callers, **listed}).items())
            ),
            **values,
        )


def _track_id(row: Mapping[str, int], ids: _Ids, used: set[str], *, otherwise: str) -> str:
    """The id that the track has at another level already, else one of its own."""
    found = next((i for place in sorted(row.items()) if (i := ids.get(place)) is not None and i not in used), otherwise)
    if found in used:
        found = derive("track", found, len(used))
    used.add(found)
    for place in row.items():
        ids.setdefault(place, found)
    return found


def _called(of_sources: Mapping[str, TrackRecord], said: Sequence[Said]) -> tuple[dict[str, str], dict[str, str]]:
    """What services call the track, and who says so: the service itself before others."""
    values: dict[str, str] = {}
    givers: dict[str, str] = {}
    for column, service in _IDENTIFIERS.items():
        for s in sorted(said, key=lambda s: s.source != service):
            track = of_sources.get(s.source)
            if track is not None and s.permits("ids") and (value := track.ids.get(service)):
                values[column], givers[column] = value, s.source
                break
    return values, givers


def _number(of_sources: Mapping[str, TrackRecord], said: Sequence[Said]) -> int | None:
    """The number on the album: the list's own, else that of the source most trusted with lists."""
    having = [s for s in by_trust(said, "tracks") if s.source in of_sources and s.permits("tracks")]
    return next((n for s in having if (n := of_sources[s.source].track_number)), None)


def _renamed(provenance: dict[str, str]) -> dict[str, str]:
    """Track artists stand in the column `artist`."""
    own = provenance.pop("artists", None)
    return provenance | {"artist": own} if own else provenance


def _is_synthetic(*provenances: Mapping[str, str], profiles: Mapping[str, SourceProfile]) -> bool:
    made_up = {name for name, p in profiles.items() if Rights.SYNTHETIC in {p.rights, *p.rights_of.values()}}
    return any(
        rights_to(profiles[source], name) is Rights.SYNTHETIC
        for provenance in provenances
        for name, sources in provenance.items()
        for source in made_up.intersection(sources.split("+"))
    )
