"""What HTTP takes and answers of keys, sessions and deeds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from backend.models.access import Access
from backend.routes.schemas import Schema


class KeyRequest(Schema):
    """A key to be made."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["nightly ingestion"])]
    scopes: Annotated[list[Access], Field(min_length=1, max_length=4, examples=[["ingest"]])]
    listener: Annotated[str | None, Field(max_length=64, description="With the scope listener: whose data.")] = None
    rate: Annotated[str | None, Field(max_length=40, examples=["100/minute"], description="Its own limit.")] = None
    days: Annotated[int | None, Field(ge=1, le=3650, description="After which it runs out; null for never.")] = None


class Key(Schema):
    """A key as it is listed. Its text is nowhere."""

    id: str
    name: str
    scopes: list[str]
    listener: str | None
    rate: str | None
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class MadeKey(Key):
    """A key that was just made."""

    key: str
    """Its text; shown this once, and kept nowhere."""


class Keys(Schema):
    """All keys."""

    count: int
    data: list[Key]


class Deed(Schema):
    """A writing request, and how it was answered."""

    at: datetime
    key: str | None
    """The key's id; "settings" for one of API_KEYS; null where none was needed."""
    name: str
    address: str
    method: str
    path: str
    status: int
    request: str
    """As the log and the answer's X-Request-Id have it."""


class Deeds(Schema):
    """Deeds, the latest first."""

    next_cursor: str | None
    data: list[Deed]


class Session(Schema):
    """Who asks, and what that allows."""

    name: str | None
    """The key's; null without one."""
    scopes: list[str]
    listener: str | None
    signed_in: bool
    """By a session's cookie."""
    may_read: bool
    may_write: bool
    may_administer: bool
    until: datetime | None = None
    """When the session that was just opened ends."""
