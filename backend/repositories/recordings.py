"""One recording, several appearances: tracks of different albums that hold the same recording share a `recording_id`.

Two tracks are linked by an equal ISRC (durations within ten seconds, for codes are given to wrong tracks too), an equal
MusicBrainz recording, or an equal first artist and title without its edition with durations within three seconds. Linked
tracks are one recording, and so are those that a third one links; its id is the least of its tracks' ids, so that it depends
on what is stored and not on the order in which it came in. At each level of rights the links are those of the values there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Connection
from backend.repositories.layers import LAYERS

SAME_NAME_MS: Final = 3_000  # by which durations of one recording differ at most between services
SAME_CODE_MS: Final = 10_000

Groups = Mapping[RightsLevel, Sequence[str]]
"""The recordings of several tracks that albums have a part in, by level."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What tells which recording a track holds."""

    id: str
    isrc: str | None
    recording_mbid: str | None
    recording_key: str | None
    duration_ms: int | None


def group(tracks: Iterable[Appearance]) -> dict[str, str]:
    """The recording of each track, by the track's id; pure.

    >>> a = Appearance("a", "X", None, "blur/song 2", 121_000)
    >>> b = Appearance("b", None, None, "blur/song 2", 122_500)
    >>> c = Appearance("c", "X", None, "blur/song two", 121_100)
    >>> group([c, b, a, Appearance("d", None, None, "blur/song 2", 180_000)])
    {'a': 'a', 'b': 'a', 'c': 'a', 'd': 'd'}
    """
    listed = sorted(tracks, key=lambda t: t.id)
    parents = {t.id: t.id for t in listed}

    def root(track: str) -> str:
        while parents[track] != track:
            parents[track] = track = parents[parents[track]]
        return track

    for one, other in _links(listed):
        a, b = sorted((root(one), root(other)))
        parents[b] = a
    return {t.id: root(t.id) for t in listed}


def _links(tracks: Sequence[Appearance]) -> Iterator[tuple[str, str]]:
    """Links enough to hold together what any two of them link; sorted by duration, neighbours are enough."""
    for same in _alike(tracks, "recording_mbid"):
        yield from ((one.id, other.id) for one, other in pairwise(same))
    for same in _alike(tracks, "isrc"):
        untimed = [t for t in same if t.duration_ms is None]
        yield from ((untimed[0].id, t.id) for t in same if untimed)
        yield from _timed(same, SAME_CODE_MS)
    for same in _alike(tracks, "recording_key"):
        # Without a duration a name alone does not tell a re-recording.
        yield from _timed(same, SAME_NAME_MS)


def _alike(tracks: Sequence[Appearance], name: str) -> Iterator[list[Appearance]]:
    alike: dict[str, list[Appearance]] = defaultdict(list)
    for track in tracks:
        if (value := getattr(track, name)) is not None:
            alike[value].append(track)
    return (same for same in alike.values() if len(same) > 1)


def _timed(tracks: Sequence[Appearance], most_ms: int) -> Iterator[tuple[str, str]]:
    timed = sorted((t.duration_ms, t.id) for t in tracks if t.duration_ms is not None)
    return ((one, other) for (a, one), (b, other) in pairwise(timed) if b - a <= most_ms)


async def of_albums(connection: Connection, albums: Collection[str]) -> Groups:
    """The recordings of several tracks in which these albums have a part, before they change."""
    if not albums:
        return {}
    return {
        level: [
            row[0]
            for row in await connection.fetch(
                f"SELECT DISTINCT t.recording_id FROM {layer.tracks} t WHERE t.album_id = ANY($1::text[]) AND "
                f"(t.recording_id <> t.id OR EXISTS (SELECT FROM {layer.tracks} s "
                "WHERE s.recording_id = t.id AND s.recording_id <> s.id))",
                list(albums),
            )
        ]
        for level, layer in LAYERS.items()
    }


async def link(connection: Connection, albums: Collection[str], before: Groups) -> None:
    """Say anew which recordings the tracks of these albums hold, and the tracks that were or are linked with them.

    Args:
        connection: in a transaction.
        albums: that were stored; none after a removal.
        before: of the same albums, `of_albums` before they changed.

    Others that link at the same time wait until the transaction ends.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('tensoe recordings', 0))")
    for level, layer in LAYERS.items():
        tracks = layer.tracks
        statement = _AFFECTED_BY_FEW if len(albums) <= _FEW else _AFFECTED
        rows = await connection.fetch(statement.format(tracks=tracks), list(albums), list(before.get(level, ())))
        if not rows:
            continue
        stands = {row["id"]: row["recording_id"] for row in rows}
        found = group(
            Appearance(*(row[c] for c in ("id", "isrc", "recording_mbid", "recording_key", "duration_ms")))
            for row in rows
        )
        moved = {track: recording for track, recording in found.items() if stands[track] != recording}
        if moved:
            # Moving an appearance changes what a reader gets for its album as well.
            await connection.execute(
                _MOVE.format(tracks=tracks, albums=layer.albums), list(moved), list(moved.values())
            )


# All tracks of the recordings in which a track of the albums has a neighbour, or had a part before.
_AFFECTED: Final = """
WITH own AS (
    SELECT id, isrc, recording_mbid, recording_key, recording_id FROM {tracks} WHERE album_id = ANY($1::text[])
), near AS (
    SELECT o.recording_id AS one, t.recording_id AS other FROM own o JOIN {tracks} t ON t.isrc = o.isrc AND t.id <> o.id
    UNION SELECT o.recording_id, t.recording_id FROM own o
        JOIN {tracks} t ON t.recording_mbid = o.recording_mbid AND t.id <> o.id
    UNION SELECT o.recording_id, t.recording_id FROM own o
        JOIN {tracks} t ON t.recording_key = o.recording_key AND t.id <> o.id
), recordings AS (
    SELECT one AS id FROM near UNION SELECT other FROM near UNION SELECT unnest($2::text[])
)
SELECT t.id, t.isrc, t.recording_mbid, t.recording_key, t.duration_ms, t.recording_id
FROM {tracks} t JOIN recordings r ON t.id = r.id
UNION
SELECT t.id, t.isrc, t.recording_mbid, t.recording_key, t.duration_ms, t.recording_id
FROM {tracks} t JOIN recordings r ON t.recording_id = r.id AND t.recording_id <> t.id
"""
# The same, looked up track by track: of few albums the planner, as long as it has no figures of a table that grows, would
# rather read all of it three times.
_AFFECTED_BY_FEW: Final = """
WITH own AS (
    SELECT id, isrc, recording_mbid, recording_key, recording_id FROM {tracks} WHERE album_id = ANY($1::text[])
), near AS (
    SELECT o.recording_id AS one, n.recording_id AS other FROM own o CROSS JOIN LATERAL (
        (SELECT t.recording_id FROM {tracks} t WHERE t.isrc = o.isrc AND t.id <> o.id OFFSET 0)
        UNION ALL (SELECT t.recording_id FROM {tracks} t WHERE t.recording_mbid = o.recording_mbid AND t.id <> o.id OFFSET 0)
        UNION ALL (SELECT t.recording_id FROM {tracks} t WHERE t.recording_key = o.recording_key AND t.id <> o.id OFFSET 0)
    ) n
), recordings AS (
    SELECT one AS id FROM near UNION SELECT other FROM near UNION SELECT unnest($2::text[])
)
SELECT DISTINCT n.* FROM recordings r CROSS JOIN LATERAL (
    (SELECT t.id, t.isrc, t.recording_mbid, t.recording_key, t.duration_ms, t.recording_id
     FROM {tracks} t WHERE t.id = r.id OFFSET 0)
    UNION ALL
    (SELECT t.id, t.isrc, t.recording_mbid, t.recording_key, t.duration_ms, t.recording_id
     FROM {tracks} t WHERE t.recording_id = r.id AND t.recording_id <> t.id OFFSET 0)
) n
"""
_FEW: Final = 100  # albums
_MOVE: Final = """
WITH moved AS (
    UPDATE {tracks} t SET recording_id = m.recording_id, updated_at = now()
    FROM unnest($1::text[], $2::text[]) AS m (id, recording_id) WHERE t.id = m.id RETURNING t.album_id
)
UPDATE {albums} a SET updated_at = now() FROM (SELECT DISTINCT album_id FROM moved) m
WHERE a.id = m.album_id AND a.updated_at < now()
"""
