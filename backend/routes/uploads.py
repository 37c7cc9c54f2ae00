"""Files sent as a form: read piece by piece onto disk, within a time and up to a bound."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from backend.routes.errors import ProblemError

_SECONDS: Final = 600.0  # for a whole body; 200 MB in it need 2.7 Mbit/s
_MOST_FILES: Final = 10_000

FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
                    },
                }
            }
        },
    }
}
"""What /docs says of the form."""
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    408: {"description": "The files did not arrive in time"},
    413: {"description": "The files are too large together (MAX_IMPORT_BYTES) or too many"},
}


@contextlib.asynccontextmanager
async def uploaded(request: Request, *, most: int) -> AsyncIterator[list[UploadFile]]:
    """The files of the field `files`, which are gone afterwards.

    Args:
        request: whose body nobody has read; its path stands among those that `BodyLimit` leaves alone.
        most: bytes that may come.

    Raises:
        ProblemError: there is none, it is no form, or it is too large or too slow.
    """
    reading = Request(request.scope, _bounded(request, most))
    try:
        async with asyncio.timeout(_SECONDS):
            form = await reading.form(max_files=_MOST_FILES, max_fields=100)
    except TimeoutError:
        raise ProblemError(
            408, title="Too slow", detail=f"The files did not arrive within {_SECONDS:g} seconds."
        ) from None
    except HTTPException as problem:
        too_many = "Too many files" in str(problem.detail)
        detail = f"{problem.detail}; send multipart/form-data with the files in the field files"
        raise ProblemError(413 if too_many else 422, title="Not a form with files", detail=detail) from None
    except ClientDisconnect:
        raise ProblemError(400, title="Cut short", detail="The files did not arrive whole.") from None
    try:
        uploads = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
        if not uploads:
            detail = "No file was sent; send multipart/form-data with the files in the field files"
            raise ProblemError(422, title="No file", detail=detail)
        yield uploads
    finally:
        await form.close()


def _bounded(request: Request, most: int) -> Receive:
    """What the request receives, up to a bound.

    Raises:
        ProblemError: (when it is received) more comes.
    """
    so_far = 0

    async def receive() -> Message:
        nonlocal so_far
        message = await request.receive()
        so_far += len(message.get("body", b""))
        if so_far > most:
            detail = f"The files have more than {most:,} bytes together (MAX_IMPORT_BYTES); send them in several parts."
            raise ProblemError(413, title="Too large", detail=detail, headers={"connection": "close"})
        return message

    return receive
