"""Tables of tags, laid onto the stored albums of their artists; albums that are not stored are not made of tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from backend.ingestion.alignment import title_key
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.source import SourceProfile
from backend.ingestion.tables.records import TABLE_VERSION
from backend.ingestion.tables.tags import TagTable
from backend.models.ingestion_models import AlbumRecord, SourceRecord, TrackRecord
from backend.repositories.remerging import Remerging
from backend.repositories.tag_targets import TagTargets

if TYPE_CHECKING:
    from collections.abc import Callable

_AT_ONCE: Final = 500


class TagImport:
    """Lays tags onto albums.

    Args:
        targets: looks stored albums up.
        remerging: writes what is new.
        merging: how records become rows.
    """

    def __init__(self, targets: TagTargets, remerging: Remerging, *, merging: Merging) -> None:
        self._targets = targets
        self._remerging = remerging
        self._merging = merging

    async def lay(
        self, table: TagTable, profile: SourceProfile, *, progress: Callable[[int, int], None]
    ) -> dict[str, int]:
        """Lay a table's tags onto the stored albums; a second time changes nothing.

        Returns:
            How many artists are stored, how many are not, and how many albums were changed or say it already.
        """
        by_artist = await self._targets.albums(table.keys)
        artist_of = {album_id: key for key, albums in by_artist.items() for album_id in albums}
        ids, changed, now = sorted(artist_of), 0, datetime.now(UTC)

        def say(album_id: str, records: Sequence[SourceRecord]) -> SourceRecord | None:
            before = next((r.album for r in records if r.source == profile.name), None)
            others = [r.album for r in records if r.source != profile.name]
            album = _laid_into(before, table, artist_of[album_id], others)
            if album is None or album == before:
                return None
            return SourceRecord(source=profile.name, rights=profile.rights, fetched_at=now, album=album)

        def merge(album_id: str, records: Sequence[SourceRecord]) -> Any:
            return self._merging.levels(records, album_id=album_id)

        for start in range(0, len(ids), _AT_ONCE):
            done = await self._remerging.revise(ids[start : start + _AT_ONCE], say, merge)
            changed += done.changed
            progress(min(start + _AT_ONCE, len(ids)), len(ids))
        return {
            "matched": changed,
            "unchanged": len(ids) - changed,
            "artists": len(by_artist),
            "artists not stored": len(table.keys) - len(by_artist),
        }


def _laid_into(
    before: AlbumRecord | None, table: TagTable, artist: str, others: Sequence[AlbumRecord]
) -> AlbumRecord | None:
    """What the source said before, with the table's tags in place of those it said of the same things; None for nothing."""
    said = before or AlbumRecord(title="", artist="", match_method="artist", parser=TABLE_VERSION)
    if artist in table.artists:
        kept = tuple(tag for tag in said.tags if tag.level != "artist")
        said = replace(said, tags=kept + table.artists[artist])
    of_tracks = table.tracks.get(artist, {})
    if of_tracks:
        here = {title_key(t.title): t.title for album in others for t in album.tracks if t.title}
        tracks = {title_key(t.title): t for t in said.tracks}
        for key in sorted(here.keys() & of_tracks.keys()):
            title, tags = of_tracks[key]
            tracks[key] = TrackRecord(title=title, tags=tags)
        said = replace(said, tracks=tuple(tracks[key] for key in sorted(tracks)))
    return said if said.tags or said.tracks else None
