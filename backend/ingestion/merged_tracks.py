"""The tracks of a merged album."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from backend.ingestion import normalizer as tidy
from backend.ingestion.alignment import recording_key, title_key
from backend.ingestion.audio_scales import choose_features
from backend.ingestion.concordance import Concordance
from backend.ingestion.field_choice import Tidy, choose_among, ranked
from backend.ingestion.said import Said, voices
from backend.ingestion.tag_sorter import TagSorter
from backend.models.ingestion_models import MergedTrack, TrackRecord
from backend.utils.identifiers import derive

Places = dict[tuple[str, int], str]
"""The id of the track that a source has at a place of its list."""

FIELDS: Final[Mapping[str, Tidy]] = {
    "artists": tidy.tidy_names,
    "duration_ms": tidy.tidy_duration,
    "explicit": lambda value: value if isinstance(value, bool) else None,
    "popularity": tidy.tidy_popularity,
    "listeners": tidy.tidy_count,
    "rating": tidy.tidy_share,
    "isrc": tidy.tidy_isrc,
}
# Columns that hold what a service calls the track, by the service's key in `ids`.
_IDENTIFIERS: Final = {"spotify_id": "spotify", "recording_mbid": "musicbrainz"}


def merge_tracks(
    said: Sequence[Said],
    concordance: Concordance | None,
    sorter: TagSorter,
    *,
    names: tuple[str, str, str],
    shared: Mapping[str, str],
    places: Places,
) -> Iterator[MergedTrack]:
    """The rows of an album's tracks, in the order of the list that is taken.

    Args:
        said: what counts at this level.
        concordance: whose list is taken, and which track of the others is which; None: there is no list.
        sorter: of the album's tags.
        names: the album's id, title and artist.
        shared: whose those values are that a track has from its album.
        places: ids given at levels merged before; those given now are added.
    """
    if concordance is None:
        return
    album_id, album, album_artist = names
    seen: Counter[str] = Counter()
    used: set[str] = set()
    asked = ranked(said, FIELDS)
    for place, row in enumerate(concordance.rows):
        of_sources = concordance.of_sources(row, said)
        lister = concordance.lister
        track = of_sources[lister]
        number = _number(of_sources, said) or place + 1
        title = tidy.tidy_text(track.title) or f"[track {number}]"  # names go empty after a takedown
        key = title_key(title)
        seen[key] += 1
        values, provenance = choose_among(of_sources, asked)
        features, givers = choose_features(of_sources, said)
        tags = sorter.track(of_sources)
        artist = values.pop("artists") or tidy.tidy_names(track.artists) or album_artist
        called, callers = _called(of_sources, said)
        listed = {"title": lister, "track_number": lister}
        track_id = _track_id(row, places, used, names=("track", album_id, key, seen[key]))
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


def _track_id(row: Mapping[str, int], places: Places, used: set[str], *, names: tuple[str, str, str, int]) -> str:
    """The id that the track has at another level already, else one of its own."""
    found = next((i for place in sorted(row.items()) if (i := places.get(place)) is not None and i not in used), None)
    if found is None:
        found = derive(*names)
    if found in used:
        found = derive("track", found, len(used))
    used.add(found)
    for place in row.items():
        places.setdefault(place, found)
    return found


def _called(of_sources: Mapping[str, TrackRecord], said: Sequence[Said]) -> tuple[dict[str, str], dict[str, str]]:
    """What services call the track, and who says so: the service itself before others."""
    values: dict[str, str] = {}
    givers: dict[str, str] = {}
    for column, service in _IDENTIFIERS.items():
        for s in said:
            track = of_sources.get(s.source)
            own = s.source == service
            if (
                track is not None
                and (own or column not in values)
                and (value := track.ids.get(service))
                and s.may_call(service)
            ):
                values[column], givers[column] = value, s.source
                if own:
                    break
    return values, givers


def _number(of_sources: Mapping[str, TrackRecord], said: Sequence[Said]) -> int | None:
    """The number on the album: the list's own, else that of the source most trusted with lists."""
    having = (of_sources[s.source] for s in voices(said).believed("tracks") if s.source in of_sources)
    return next((n for track in having if (n := track.track_number)), None)


def _renamed(provenance: dict[str, str]) -> dict[str, str]:
    """Track artists stand in the column `artist`."""
    own = provenance.pop("artists", None)
    return provenance | {"artist": own} if own else provenance
