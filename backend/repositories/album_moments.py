"""Which albums changed when: what an index needs to follow the catalogue without reading all of it; blocking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS
from backend.repositories.track_columns import READABLE

if TYPE_CHECKING:
    import pyarrow as pa

_ALBUMS: Final = "ARRAY(SELECT jsonb_array_elements_text(current_setting('tensoe.albums')::jsonb))"


class AlbumMoments:
    """Reads albums' moments and the tracks of some albums as Arrow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def moments(self, rights: RightsLevel) -> pa.Table:
        """Of all albums of a level `id` and `moved`, when it or one of its tracks last changed (microseconds since 1970)."""
        with self._database.columnar() as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, (extract(epoch FROM updated_at) * 1000000)::bigint AS moved "
                f"FROM {LAYERS[rights].albums} ORDER BY id"
            )
            found: pa.Table = cursor.fetch_arrow_table()
            return found

    def tracks_of(self, albums: Sequence[str], rights: RightsLevel, columns: Sequence[str]) -> pa.Table:
        """The tracks of some albums, ordered by id."""
        listed = ", ".join(f'"{column}"' for column in columns if column in READABLE)
        with self._database.columnar() as connection, connection.cursor() as cursor:
            # The driver streams by COPY, which takes no parameters: the session carries them.
            held = msgspec.json.encode(list(albums)).decode()
            cursor.execute("SELECT set_config('tensoe.albums', $1, false)", (held,))
            cursor.fetchall()
            cursor.execute(f"SELECT {listed} FROM {LAYERS[rights].tracks} WHERE album_id = ANY({_ALBUMS}) ORDER BY id")
            found: pa.Table = cursor.fetch_arrow_table()
            return found
