"""Which points of a map are meant, as a client says it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from backend.models.map_columns import ColumnName
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.features.map.layout import Rows
    from backend.features.map.picture import Picture

NEAREST = 200
"""Points around a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapChoice:
    """Exactly one way to mean points, and of those only some classes.

    Attributes:
        q: a part of title, artist or album.
        ids: of tracks.
        rows: of the points.
        box: left, low, right, high.
        near: a place.
        polygon: corners of a line around them.
        column, codes: only points of these classes.
        version: of the map that rows and codes are of.
    """

    q: str | None = None
    ids: tuple[str, ...] | None = None
    rows: tuple[int, ...] | None = None
    box: tuple[float, float, float, float] | None = None
    near: tuple[float, float] | None = None
    polygon: tuple[tuple[float, float], ...] | None = None
    column: ColumnName | None = None
    codes: tuple[int, ...] = ()
    version: str | None = None

    @classmethod
    def of(
        cls,
        *,
        q: str | None = None,
        ids: Sequence[str] | None = None,
        rows: Sequence[int] | None = None,
        box: str | None = None,
        near: str | None = None,
        polygon: str | None = None,
        column: ColumnName | None = None,
        codes: Sequence[int] | None = None,
        version: str | None = None,
    ) -> Self:
        """From texts.

        Raises:
            InvalidInputError: not exactly one way is given, or a text holds other numbers than it should.
        """
        ways = {"q": q, "id": ids, "row": rows, "box": box, "near": near, "polygon": polygon}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) != 1:
            raise InvalidInputError(
                f"Say which tracks by exactly one of {', '.join(ways)}"
                + (f"; there are {' and '.join(given)}" if given else "")
            )
        if rows is not None and version is None:
            raise InvalidInputError("Rows belong to one version of the map: send `version`, as X-Map-Version says it")
        if bool(codes) != (column is not None):
            raise InvalidInputError("Send `column` and `code` together: classes belong to what is coloured by")
        corners = None if polygon is None else _numbers("polygon", polygon)
        if corners is not None and (len(corners) % 2 or len(corners) < 6):
            raise InvalidInputError("polygon takes x,y,x,y,…: at least three corners, and both numbers of each")
        sides = None if box is None else _numbers("box", box, 4)
        if sides is not None and (sides[0] > sides[2] or sides[1] > sides[3]):
            raise InvalidInputError("box takes left,low,right,high: left is not greater than right, low not than high")
        place = None if near is None else _numbers("near", near, 2)
        return cls(
            q=q,
            ids=None if ids is None else tuple(ids),
            rows=None if rows is None else tuple(rows),
            box=None if sides is None else (sides[0], sides[1], sides[2], sides[3]),
            near=None if place is None else (place[0], place[1]),
            polygon=None if corners is None else tuple(zip(corners[::2], corners[1::2], strict=True)),
            column=column,
            codes=tuple(codes or ()),
            version=version,
        )

    def on(self, picture: Picture) -> Rows:
        """The rows that are meant, but for `q`, for which somebody must search.

        Raises:
            InvalidInputError: a row is none of the map's.
        """
        if self.rows is not None:
            return picture.checked(self.rows)
        if self.box is not None:
            return picture.within(self.box)
        if self.near is not None:
            return picture.nearest(*self.near, NEAREST)
        if self.polygon is not None:
            return picture.inside(self.polygon)
        return picture.rows_of(self.ids or ())


def _numbers(name: str, text: str, wanted: int | None = None) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise InvalidInputError(f"{name}={text[:60]!r} holds what is no number; it takes numbers with commas") from None
    if not all(math.isfinite(value) and abs(value) <= 1e9 for value in found):
        raise InvalidInputError(f"{name}={text[:60]!r} holds a number that is on no map")
    if wanted is not None and len(found) != wanted:
        raise InvalidInputError(f"{name} takes {wanted} numbers; there are {len(found)}")
    return found
