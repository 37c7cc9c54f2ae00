"""Training data page by page, in any form: what `MlService` streams, with its bounds told first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson

from backend.models.results import TrackFilter
from backend.repositories.track_pages import PageBounds, TrackPages
from backend.services.forms import MEDIA_TYPES, Form
from backend.services.ml_service import TEXT, MlService
from backend.services.worker_threads import begun


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPage:
    """A page on its way.

    Attributes:
        media_type: of the body.
        chunks: the body.
        next_cursor: of the page after it; None at the end.
    """

    media_type: str
    chunks: AsyncIterator[bytes]
    next_cursor: str | None


class TrainingService:
    """Pages of training data.

    Args:
        ml: streams the rows.
        pages: finds where a page ends.
    """

    def __init__(self, ml: MlService, pages: TrackPages) -> None:
        self._ml = ml
        self._pages = pages

    async def page(
        self, track_filter: TrackFilter, *, limit: int, cursor: str | None = None, form: Form = Form.JSON
    ) -> TrainingPage:
        """A page in a form; as JSON an object with `count`, `next_cursor`, `synthetic` and `data`, else the rows alone.

        Raises:
            InvalidInputError: the limit, the cursor or the form is not allowed.
            BusyError: too many large answers are being made.
        """
        if (text := TEXT.get(form)) is not None:
            self._ml.check_rows(limit)
            bounds, rows = await self._pages.texts(track_filter, limit=limit, cursor=cursor, form=text)
            chunks: AsyncIterator[bytes] = await begun(rows)
            media_type = MEDIA_TYPES[form]
        else:
            bounds = await self._pages.bounds(track_filter, limit=limit, cursor=cursor)
            media_type, chunks = await self._ml.training_data(bounds.rows, limit=limit, form=form)
        return TrainingPage(
            media_type=media_type,
            chunks=_wrapped(bounds, chunks) if form is Form.JSON else chunks,
            next_cursor=bounds.next_cursor,
        )


async def _wrapped(bounds: PageBounds, rows: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    about = {"count": bounds.count, "next_cursor": bounds.next_cursor, "synthetic": bounds.synthetic}
    yield orjson.dumps(about)[:-1] + b',"data":'
    async for chunk in rows:
        yield chunk
    yield b"}"
