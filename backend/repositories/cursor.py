"""Cursors of pages: opaque to callers, checked when they come back."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

import msgspec

from backend.utils.errors import InvalidInputError

_CHECK: Final = 6


def encode(position: list[str], *, of: object) -> str:
    """A cursor that goes on after a position in the listing described by `of` (its filters)."""
    body = msgspec.json.encode(position)
    return base64.urlsafe_b64encode(_check(body, of) + body).decode().rstrip("=")


def decode(cursor: str, *, of: object, parts: int) -> list[str]:
    """The position of a cursor.

    Raises:
        InvalidInputError: it is none of ours, or was given for other filters.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = msgspec.json.decode(raw[_CHECK:], type=list[str])
        if raw[:_CHECK] == _check(raw[_CHECK:], of) and len(position) == parts:
            return position
    except (ValueError, binascii.Error, msgspec.DecodeError):
        pass
    raise InvalidInputError(
        "This cursor does not belong to this listing; take next_cursor of the page before, with the same filters"
    )


def _check(body: bytes, of: object) -> bytes:
    return hashlib.blake2b(body + msgspec.json.encode(of), digest_size=_CHECK).digest()
