"""Who may do what: keys with scopes, and the log of who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.database import Base, Instant


class Access(StrEnum):
    """What a key is for. `admin` may everything; `ingest` may read, too."""

    READ = "read"
    INGEST = "ingest"
    LISTENER = "listener"
    ADMIN = "admin"


_IMPLIED = {
    Access.ADMIN: frozenset(Access),
    Access.INGEST: frozenset({Access.INGEST, Access.READ}),
    Access.LISTENER: frozenset({Access.LISTENER, Access.READ}),
    Access.READ: frozenset({Access.READ}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        key: of the key; "settings" for one of API_KEYS, None where no key was given.
        name: the key's.
        scopes: what it was made for.
        listener: whose own data it may see and change, with the scope `listener`.
        rate: its own limit, in the notation of `limits`; None for that of its address alone.
        signed_in: by a session's cookie; its writing requests must come from our own pages.
    """

    key: str | None = None
    name: str = ""
    scopes: frozenset[Access] = frozenset()
    listener: str | None = None
    rate: str | None = None
    signed_in: bool = False

    def may(self, access: Access) -> bool:
        """Whether a scope of the key allows it."""
        return any(access in _IMPLIED[scope] for scope in self.scopes)

    def may_know(self, listener: str | None) -> bool:
        """Whether the caller may see and change what is kept of a listener; None: of all of them."""
        if self.may(Access.ADMIN):
            return True
        return Access.LISTENER in self.scopes and listener is not None and listener == self.listener


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShown:
    """A key as it is listed: everything but the secret, which nobody has."""

    id: str
    name: str
    scopes: Sequence[str]
    listener: str | None
    rate: str | None
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A writing request and how it was answered.

    Attributes:
        at: when it was answered.
        key: id of the key; "settings" for one of API_KEYS; None where none is needed.
        name: the key's at that time.
        address: of the client.
        method, path: what was asked for, without its query.
        status: of the answer.
        request: its id, as the log has it.
    """

    at: datetime
    key: str | None
    name: str
    address: str
    method: str
    path: str
    status: int
    request: str


class ApiKeyRow(Base):
    """A key. Its secret stands nowhere: only the SHA-256 of it, which is enough for 256 random bits."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # the public part
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    listener: Mapped[str | None] = mapped_column(Text)
    rate: Mapped[str | None] = mapped_column(Text)
    # Somebody signed in with that key; ends with it.
    session_of: Mapped[str | None] = mapped_column(Text, ForeignKey("api_keys.id", ondelete="CASCADE"))
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (Index("idx_api_keys_session_of", "session_of"),)


class DeedRow(Base):
    """See `Deed`. Nothing points here, and nothing here ends with a key: it is what is left of it."""

    __tablename__ = "deeds"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    key: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(Integer)
    request: Mapped[str] = mapped_column(Text)
