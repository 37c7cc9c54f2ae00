"""Every error Tensoe raises on purpose. Messages are for the person who reads them and say what to do next.

    TensoeError
    ├── ConfigurationError            a setting is missing, contradictory or unsafe
    ├── DatabaseError                 PostgreSQL cannot be used
    │   ├── DatabaseUnreachableError      nobody answers at the address, or it refuses us
    │   │   └── DatabaseRefusesError          answers, and knows no such user, password or database
    │   ├── DatabaseTooOldError           answers, but is older than PostgreSQL 14
    │   ├── DatabaseRightsError           answers, but lets us not create or write what we need
    │   ├── DatabaseReadOnlyError         answers, but takes no changes at present
    │   └── DatabaseFullError             answers, but has no room left for what was asked
    ├── InvalidInputError             what the caller gave cannot be used
    ├── NotFoundError                 what the caller asked for is not there
    ├── ConflictError                 it is there already, or in a state that does not allow this
    ├── UnauthorizedError             no API key, or one we do not know
    ├── BusyError                     too much at once; come back later (`retry_after` seconds)
    └── SourceError                   a provider did not give what was asked for
        ├── TransientError                worth asking again
        │   ├── UnreachableError              no connection, reset, time-out, reply cut short
        │   ├── ServerFaultError              the provider says that it has a fault (5xx and its own codes)
        │   ├── MalformedReplyError           a reply that is not what the wire form says
        │   └── RateLimitedError              asked too fast; `retry_after` seconds
        └── TerminalError                 asking again now changes nothing
            ├── RecordNotFoundError           the provider knows no such album (never said of a 429)
            ├── AmbiguousError                it knows several and none is clearly the one meant
            ├── BlockedError                  a challenge, robots.txt or missing permission keeps us out
            ├── ThrottledError                a limit holds until `until`; longer than we wait
            ├── UnconfiguredError             a key is missing or refused
            └── RejectedError                 the provider refuses the request as such
                └── HintError                     the page or address that the caller gave for it cannot be used

Transient or terminal decides retrying, in one place: `ingestion/transport.py`. Which HTTP status an error becomes is
decided in one place too: `routes/errors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For the type alone: errors stand below the models, which import nothing of them either.
    from backend.models.ingestion_models import MatchCandidate


class TensoeError(Exception):
    """The root of all errors raised on purpose."""


class ConfigurationError(TensoeError):
    """A setting is missing, contradictory or unsafe; the message names it."""


class DatabaseError(TensoeError):
    """PostgreSQL cannot be used."""


class DatabaseUnreachableError(DatabaseError):
    """Nobody answers at the database's address, or it refuses our name or password."""


class DatabaseRefusesError(DatabaseUnreachableError):
    """Somebody answers, and knows no such user, password or database: waiting changes nothing."""


class DatabaseTooOldError(DatabaseError):
    """The server is older than PostgreSQL 14."""


class DatabaseRightsError(DatabaseError):
    """The server does not let this user create or write what Tensoe needs."""


class DatabaseReadOnlyError(DatabaseError):
    """The server answers, and takes no changes at present."""


class DatabaseFullError(DatabaseError):
    """The server answers, and has no disk or memory left for what was asked."""


class InvalidInputError(TensoeError):
    """What the caller gave cannot be used; the message names the value and what is allowed."""


class NotFoundError(TensoeError):
    """What the caller asked for is not there."""


class ConflictError(TensoeError):
    """What is there already, or its state, does not allow this."""


class UnauthorizedError(TensoeError):
    """An API key is needed and none, or an unknown one, was given."""


class ForbiddenError(TensoeError):
    """A key is known, and does not allow this."""


class BusyError(TensoeError):
    """Too much at once.

    Args:
        message: what is busy.
        retry_after: seconds until it is worth asking again.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SourceError(TensoeError):
    """A provider did not give what was asked for."""


class TransientError(SourceError):
    """Worth asking again."""


class UnreachableError(TransientError):
    """No connection, a reset, a time-out, or a reply cut short."""


class ServerFaultError(TransientError):
    """The provider says that it has a fault."""


class MalformedReplyError(TransientError):
    """A reply that is not what the provider's wire form says."""


class RateLimitedError(TransientError):
    """Asked too fast.

    Args:
        message: what the provider said.
        retry_after: seconds it asks us to wait; None when it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TerminalError(SourceError):
    """Asking again now changes nothing."""


class _UndecidedError(TerminalError):
    """What was offered and not taken.

    Args:
        message: what was looked for, and what is nearest.
        candidates: nearest first; a person may decide.
    """

    def __init__(self, message: str = "", *, candidates: Sequence[MatchCandidate] = ()) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


class RecordNotFoundError(_UndecidedError):
    """The provider knows no such album, track, artist or listener."""


class AmbiguousError(_UndecidedError):
    """The provider knows several and none is clearly the one meant; the message names the nearest."""


class BlockedError(TerminalError):
    """A challenge, robots.txt or a missing permission keeps us out."""


class ThrottledError(TerminalError):
    """A limit of the provider holds for longer than we wait.

    Args:
        message: what the provider said.
        until: when asking is allowed again (UTC).
        quota: a number of requests in a day is used up, and not a rate exceeded.
    """

    def __init__(self, message: str, *, until: datetime, quota: bool = False) -> None:
        super().__init__(message)
        self.until = until
        self.quota = quota


class UnconfiguredError(TerminalError):
    """A key is missing or the provider refuses it."""


class RejectedError(TerminalError):
    """The provider refuses the request as such."""


class HintError(RejectedError):
    """The page or address that the caller gave for a source cannot be used: his to mend, so nothing is stored."""
