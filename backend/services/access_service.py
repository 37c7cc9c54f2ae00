"""Who may do what: keys and sessions are made, recognised and ended here."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog
from cachetools import TTLCache

from backend.models.access import Access, Caller, KeyShown
from backend.repositories.api_keys import KnownKey
from backend.services.listening_service import named
from backend.utils.errors import BusyError, ConflictError, DatabaseError, InvalidInputError, NotFoundError

log = structlog.get_logger(__name__)

SETTINGS: Final = "settings"
"""What keys of API_KEYS are called in the log: they have no id."""
PREFIX: Final = "tensoe_"
_FORM: Final = re.compile(rf"{PREFIX}([0-9a-z]{{12}})_([A-Za-z0-9_-]{{43}})", re.ASCII)
_BELIEVED: Final = (
    10.0  # seconds that a key is believed without another look: so long a revoked one may still work elsewhere
)
_REMEMBERED: Final = 2_000  # keys
_USED: Final = 60.0  # seconds between notes that a key is used
SESSION: Final = timedelta(hours=12)
_LONGEST_NAME: Final = 100
_MOST_DAYS: Final = 3_650


class Keys(Protocol):
    """Where keys are kept; `repositories.api_keys` has it."""

    async def add(self, key: KeyShown, digest: bytes, *, session_of: str | None = None) -> None:
        """Keep a key."""

    async def find(self, key_id: str) -> KnownKey | None:
        """The key with this public part."""

    async def exist(self) -> bool:
        """Whether a key was ever made; one that was revoked counts."""

    async def listed(self) -> list[KeyShown]:
        """All keys."""

    async def revoke(self, key_id: str, *, at: datetime) -> bool:
        """End a key."""

    async def forget_session(self, session_id: str, *, now: datetime) -> None:
        """End a session."""

    async def used(self, key_id: str, *, at: datetime) -> None:
        """Note that a key is used."""


class AccessService:
    """Keys and sessions.

    Args:
        keys: where they are kept.
        from_settings: the keys of API_KEYS; each may everything.
        anonymous_reading: whether who has no key may read.
    """

    def __init__(self, keys: Keys, *, from_settings: Sequence[str] = (), anonymous_reading: bool = True) -> None:
        self._keys = keys
        self._from_settings = tuple(from_settings)
        self.anonymous_reading = anonymous_reading
        self._known: TTLCache[str, KnownKey | None] = TTLCache(_REMEMBERED, _BELIEVED)
        self._exist: tuple[float, bool] | None = None
        self._used: TTLCache[str, bool] = TTLCache(_REMEMBERED, _USED)

    # -- who asks ----------------------------------------------------------------------------------

    async def is_open(self) -> bool:
        """Whether nobody needs a key: none is set, and none was ever made. Revoking the last one must let nobody in."""
        if self._from_settings or not self.anonymous_reading:
            return False
        if self._exist is None or time.monotonic() - self._exist[0] > _BELIEVED:
            self._exist = time.monotonic(), await self._keys.exist()
        return not self._exist[1]

    async def caller(self, token: str) -> Caller | None:
        """Whose key it is; None for one that is unknown, has run out or was revoked.

        How long it takes tells nothing of a key: digests are compared in constant time, also where there is none.

        Raises:
            DatabaseError: it is none of API_KEYS, and the others cannot be looked up.
        """
        # Every key is compared, each in constant time. (`any` would stop early.)
        if sum(hmac.compare_digest(token.encode(), key.encode()) for key in self._from_settings):
            return Caller(key=SETTINGS, name="API_KEYS", scopes=frozenset({Access.ADMIN}))
        form = _FORM.fullmatch(token)
        if form is None:
            return None
        known = await self._find(form[1])
        right = hmac.compare_digest(_digest(token), known.digest if known else b"\0" * 32)
        now = datetime.now(UTC)
        if known is None or not right or known.revoked_at is not None:
            return None
        if known.expires_at is not None and known.expires_at <= now:
            return None
        await self._note_use(known.caller.key, now)
        return known.caller

    async def _note_use(self, key_id: str | None, now: datetime) -> None:
        if key_id is None or key_id in self._used:
            return
        self._used[key_id] = True
        try:
            await self._keys.used(key_id, at=now)
        except (DatabaseError, BusyError) as problem:  # who is known already is let in, whatever the database does
            log.warning("that a key is used cannot be noted", key=key_id, fault=str(problem))

    async def _find(self, key_id: str) -> KnownKey | None:
        if key_id in self._known:
            return self._known[key_id]
        found = await self._keys.find(key_id)
        self._known[key_id] = found
        return found

    # -- making and ending -------------------------------------------------------------------------

    async def make(
        self,
        name: str,
        *,
        scopes: Sequence[str],
        listener: str | None = None,
        rate: str | None = None,
        days: int | None = None,
    ) -> tuple[KeyShown, str]:
        """Make a key; also gives its text, which is shown this once and kept nowhere.

        Args:
            name: for people: who has it, and what for.
            scopes: read, ingest, listener, admin.
            listener: whose own data it opens; with the scope `listener`, and only then.
            rate: its own limit, such as 100/minute.
            days: after which it runs out; None for never.

        Raises:
            InvalidInputError: one of them does not fit; the message says which.
        """
        from limits import parse  # only who makes a key needs it here

        name = name.strip()
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
            raise InvalidInputError(f"A key's name has 1 to {_LONGEST_NAME} printable characters")
        try:
            wanted = sorted({Access(scope) for scope in scopes})
        except ValueError:
            raise InvalidInputError(f"Scopes are {', '.join(Access)}; not {', '.join(scopes)[:80]}") from None
        if not wanted:
            raise InvalidInputError(f"A key needs a scope: {', '.join(Access)}")
        if (Access.LISTENER in wanted) != bool(listener):
            raise InvalidInputError("The scope listener and the listener's name belong together; give both or none")
        if listener:
            named(listener)
        if days is not None and not 1 <= days <= _MOST_DAYS:
            raise InvalidInputError(f"days={days}: a key runs out after 1 to {_MOST_DAYS} days, or never")
        if rate is not None:
            try:
                parse(rate)
            except ValueError:
                raise InvalidInputError(f"rate={rate[:40]!r} must look like 600/minute or 10/second") from None
        now = datetime.now(UTC)
        key = KeyShown(
            id=_new_id(), name=name, scopes=[str(s) for s in wanted], listener=listener or None, rate=rate, made_at=now,
            expires_at=None if days is None else now + timedelta(days=days), revoked_at=None, last_used_at=None,
        )  # fmt: skip
        token = _token(key.id)
        await self._keys.add(key, _digest(token))
        self._exist = None
        return key, token

    async def listed(self) -> list[KeyShown]:
        """All keys, the newest first."""
        return await self._keys.listed()

    async def revoke(self, key_id: str) -> None:
        """End a key for good; other servers notice within ten seconds.

        Raises:
            NotFoundError: none that holds has this id.
        """
        if not await self._keys.revoke(key_id, at=datetime.now(UTC)):
            raise NotFoundError(f"No key that holds has the id {key_id[:40]!r}; `tensoe key list` shows them")
        self._known.clear()
        self._exist = None

    async def sign_in(self, caller: Caller) -> tuple[str, datetime]:
        """A session of a key, for a browser's cookie: its text, and when it ends.

        Raises:
            ConflictError: it is one of API_KEYS, of which no session can be kept.
        """
        if caller.key is None or caller.key == SETTINGS:
            raise ConflictError(
                "A key of API_KEYS opens no session, as it cannot be revoked; make one: tensoe key make NAME --scope admin"
            )
        now = datetime.now(UTC)
        until = now + SESSION
        session = KeyShown(
            id=_new_id(), name=caller.name, scopes=[], listener=None, rate=None, made_at=now, expires_at=until,
            revoked_at=None, last_used_at=None,
        )  # fmt: skip
        token = _token(session.id)
        await self._keys.add(session, _digest(token), session_of=caller.key)
        return token, until

    async def sign_out(self, token: str) -> None:
        """End a session; one that is none is none."""
        form = _FORM.fullmatch(token)
        if form is None or await self.caller(token) is None:
            return
        self._known.pop(form[1], None)
        await self._keys.forget_session(form[1], now=datetime.now(UTC))


def _new_id() -> str:
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(secrets.choice(alphabet) for _ in range(12))


def _token(key_id: str) -> str:
    """What the owner keeps: easy to find where it should not stand, and 256 random bits."""
    return f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def _digest(token: str) -> bytes:
    # No slow hash: nobody guesses 256 random bits.
    return hashlib.sha256(token.encode()).digest()
