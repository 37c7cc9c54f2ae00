"""What PostgreSQL's faults mean: a connection is lost, or the server answers and cannot do what was asked at present."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from backend.repositories.address import Address
from backend.utils.errors import (
    BusyError,
    DatabaseFullError,
    DatabaseReadOnlyError,
    DatabaseRefusesError,
    DatabaseUnreachableError,
    TensoeError,
)

if TYPE_CHECKING:
    from adbc_driver_manager import Error

LOST: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises; whether the connection is lost says `is_lost`."""

_GONE: Final = (
    asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError,
)  # fmt: skip
_REFUSED: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
_RETRY_SECONDS: Final = 5

# SQLSTATE: PostgreSQL documentation, appendix A. An exact code counts before its class.
_READ_ONLY: Final = "25006"
_TOO_MANY: Final = "53300"
_NO_ROOM: Final = "53"
_GIVEN_UP: Final = frozenset(
    {"57014", "55P03"}
)  # statement_timeout, lock_timeout; whoever cancels himself gets no error
_OF_LIBPQ: Final = "[libpq]"
_LOST_CLASSES: Final = ("08", "57P")


def is_lost(connection: Any, problem: BaseException | None) -> bool:
    """Whether the server is gone, and not only a statement wrong."""
    while problem is not None:
        # A server that is killed says so before it goes: what asyncpg was just about to do then meets a state that it does not
        # expect, while the socket still seems open.
        if isinstance(problem, (*_GONE, asyncpg.InternalClientError)):
            return True
        problem = problem.__context__  # leaving a transaction whose connection is lost fails once more
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken it back already
        return True


@contextlib.contextmanager
def told_once() -> Iterator[None]:
    """The running loop does not say again what `unreachable` has said.

    A COPY into a connection that is just being lost leaves a future in asyncpg that nobody can ask for its error (its handler
    says CopyFail in a state in which that is refused, and ends before it has marked the future); asyncio then logs it.
    """
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        is_future = "future" in context and "task" not in context
        if is_future and isinstance(context.get("exception"), asyncpg.ConnectionDoesNotExistError):
            return
        if before is None:
            loop.default_exception_handler(context)
        else:
            before(loop, context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def unreachable(problem: Exception, address: Address) -> DatabaseUnreachableError:
    """The sentence for a server that does not answer, or does not know us."""
    if isinstance(problem, _REFUSED):
        return DatabaseRefusesError(
            f"The database at {address.shown} refuses us: {problem}. "
            "Check user, password and database name in DATABASE_URL."
        )
    return DatabaseUnreachableError(
        f"The database at {address.shown} cannot be reached ({str(problem) or type(problem).__name__}). "
        "Check DATABASE_URL and that the server runs, or unset DATABASE_URL to use the embedded one."
    )


def passing(problem: BaseException, address: Address) -> TensoeError | None:
    """The sentence for a server that answers and cannot do it at present; None for all else."""
    return _by_state(str(getattr(problem, "sqlstate", None) or ""), str(problem), address)


def of_arrow(problem: Error | OSError, address: Address) -> TensoeError | None:
    """The same for what ADBC raises, with the connections that it lost."""
    if isinstance(problem, OSError):
        # What breaks while batches are read comes through Arrow's C interface: a text and no code.
        is_gone, state = str(problem).startswith(_OF_LIBPQ), ""
    else:
        state = problem.sqlstate or ""
        is_gone = state.startswith(_LOST_CLASSES) or (not state and _is_io(problem))
    if is_gone:
        return DatabaseUnreachableError(
            f"The database at {address.shown} cannot be reached; check DATABASE_URL and that the server runs."
        )
    return _by_state(state, str(problem), address)


def _by_state(state: str, said: str, address: Address) -> TensoeError | None:
    said = said.partition("\n")[0]  # without the server's detail and hint
    if state == _READ_ONLY:
        return DatabaseReadOnlyError(
            f"The database at {address.shown} can only be read at present; nothing was changed. Reading goes on."
        )
    if state == _TOO_MANY:
        return BusyError(f"The database at {address.shown} has no connection left ({said})", retry_after=_RETRY_SECONDS)
    if state.startswith(_NO_ROOM):
        return DatabaseFullError(
            f"The database at {address.shown} has no room left ({said}); nothing was changed. Give its server disk or memory."
        )
    if state in _GIVEN_UP:
        return BusyError(f"The database at {address.shown} gave up ({said}); try again", retry_after=_RETRY_SECONDS)
    return None


def _is_io(problem: Error) -> bool:
    from adbc_driver_manager import AdbcStatusCode  # late: with Arrow it takes 0.2 s to import

    return problem.status_code in {AdbcStatusCode.IO, AdbcStatusCode.TIMEOUT}
