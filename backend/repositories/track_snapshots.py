"""Tracks of a moment: of now, or as they were at a past one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from backend.models.datasets import Lost
from backend.models.results import TrackFilter
from backend.repositories import contradictions
from backend.repositories.catalogue_state import MERGED
from backend.repositories.contradictions import Believed
from backend.repositories.database import Database
from backend.repositories.layers import Layer
from backend.repositories.moments import settled
from backend.repositories.past_tables import make
from backend.repositories.remerging import Merge
from backend.repositories.track_tables import TrackTables
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa

_EVERYTHING: Final = 2**31 - 1
_FIRST: Final = "SELECT min(known_from) FROM source_records"
_LOST: Final = """
SELECT source, sum(albums)::bigint AS albums, sum(records)::bigint AS records, max(at) AS at FROM removals
WHERE at > $1 AND known_from <= $1 GROUP BY source ORDER BY source NULLS FIRST
"""
_POLICY: Final = "SELECT value FROM catalogue_state WHERE key = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Tracks of a moment.

    Attributes:
        tracks: that fit, ordered by id.
        moment: all that was stored by then is in it, and nothing else (UTC).
        policy: the fingerprint of the policy that their values were chosen by; "" where nobody noted it.
        lost: what was known at that moment and was taken out since.
        contradictions: what sources said differently of them, see `contradictions.read`; None when nobody looked.
    """

    tracks: pa.Table
    moment: datetime
    policy: str
    lost: tuple[Lost, ...] = ()
    contradictions: pa.Table | None = None


class TrackSnapshots:
    """Reads tracks of a moment; blocking.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(
        self, track_filter: TrackFilter, /, *, columns: Sequence[str], believed: Believed | None = None
    ) -> Snapshot:
        """Tracks as they are.

        Args:
            track_filter: which of them.
            columns: of `FLAT_COLUMNS`.
            believed: whose words are compared; None for nobody's.
        """
        with settled(self._database) as held, held.connection.cursor() as cursor:
            return Snapshot(
                tracks=_read(held.connection, track_filter, columns), moment=held.now, policy=_policy(cursor),
                contradictions=_differing(held.connection, track_filter, held.now, believed),
            )  # fmt: skip

    def at(
        self,
        track_filter: TrackFilter,
        /,
        *,
        moment: datetime,
        merge: Merge,
        policy: str,
        is_same_model: bool,
        columns: Sequence[str],
        believed: Believed | None = None,
    ) -> Snapshot:
        """Tracks as they were, merged anew from what was known at a moment.

        Args:
            track_filter: which of the tracks of that moment.
            moment: with its time zone.
            merge: makes an album of its records.
            policy: the fingerprint of the policy that it works by.
            is_same_model: whether it estimates what nobody measured as the rows of now were estimated.
            columns: of `FLAT_COLUMNS`.
            believed: see `now`.

        Raises:
            InvalidInputError: the moment is to come, or nothing was known by then.
        """
        with settled(self._database) as held, held.connection.cursor() as cursor:
            lost = _check(cursor, moment, held.now)
            layer = make(
                cursor, track_filter.rights, moment=moment, merge=merge,
                copy=is_same_model and _policy(cursor) == policy,
            )  # fmt: skip
            tracks = _read(held.connection, track_filter, columns, layer=layer)
            differing = _differing(held.connection, track_filter, moment, believed, layer=layer)
        return Snapshot(tracks=tracks, moment=moment, policy=policy, lost=lost, contradictions=differing)


def _read(
    connection: Any, track_filter: TrackFilter, columns: Sequence[str], *, layer: Layer | None = None
) -> pa.Table:
    return TrackTables(connection, layer=layer).arrow(track_filter, limit=_EVERYTHING, columns=columns)


def _differing(
    connection: Any,
    track_filter: TrackFilter,
    moment: datetime,
    believed: Believed | None,
    *,
    layer: Layer | None = None,
) -> pa.Table | None:
    if believed is None:
        return None
    return contradictions.read(connection, track_filter, moment=moment, believed=believed, layer=layer)


def _policy(cursor: Any) -> str:
    cursor.execute(_POLICY, (MERGED,))
    found = cursor.fetchone()
    return "" if found is None else str(found[0])


def _check(cursor: Any, moment: datetime, now: datetime) -> tuple[Lost, ...]:
    """What was taken out since, of what was known at the moment."""
    if moment > now:
        raise InvalidInputError(
            f"as_of={moment.isoformat()} is to come, it is {now.isoformat(timespec='seconds')} now; give a past moment, or leave "
            "it out for what is known now"
        )
    cursor.execute(_LOST, (moment,))
    lost = tuple(Lost(**row) for row in cursor.fetch_arrow_table().to_pylist())
    cursor.execute(_FIRST)
    first = cursor.fetchone()[0]
    if first is None or first > moment:
        begins = "nothing is kept at all" if first is None else f"what is kept begins at {first.isoformat()}"
        gone = "".join(f"; {each.said}" for each in lost)
        raise InvalidInputError(f"as_of={moment.isoformat()}: nothing of what was known then is there: {begins}{gone}")
    return lost
