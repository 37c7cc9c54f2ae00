"""ADBC connections that are kept for the next reader: opening one takes 30 ms, most of it the server's processor time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

_KEPT: Final = 2
_IDLE_SECONDS: Final = 60.0  # after which an unused connection is closed instead of being handed out


class ArrowConnections:
    """Connections to one address; blocking, from any thread.

    Args:
        dsn: the address for libpq; holds the password.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._idle: list[tuple[Any, float]] = []
        self._is_closed = False

    @contextlib.contextmanager
    def one(self) -> Iterator[Any]:
        """A connection in a transaction, which is rolled back in the end.

        Raises:
            adbc_driver_manager.OperationalError: nobody answers at the address.
        """
        connection = self._taken() or self._opened()
        try:
            yield connection
        except BaseException:
            # Whoever fails may leave a stream half read, or the server is gone.
            connection.close()
            raise
        self._give_back(connection)

    def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def _opened(self) -> Any:
        from adbc_driver_postgresql import dbapi  # late: with Arrow it takes 0.2 s to import

        return dbapi.connect(self._dsn)

    def _taken(self) -> Any | None:
        """The one that was used last, if its server is still there."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if time.monotonic() - since < _IDLE_SECONDS and _answers(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Any) -> None:
        if not _ended(connection):
            connection.close()
            return
        now, old = time.monotonic(), []
        with self._lock:
            if self._is_closed or len(self._idle) >= _KEPT:
                old.append(connection)
            else:
                self._idle.append((connection, now))
            # Whoever rests at the bottom is closed at last, though only the top is handed out.
            old += [one for one, since in self._idle if now - since >= _IDLE_SECONDS]
            self._idle = [(one, since) for one, since in self._idle if now - since < _IDLE_SECONDS]
        for one in old:
            one.close()


def _answers(connection: Any) -> bool:
    """Whether the server is there; what is asked next begins a transaction."""
    from adbc_driver_manager import Error

    try:
        # Asked outside of the transaction, whose isolation may be set until its first statement.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()
        connection.adbc_connection.set_autocommit(False)
    except Error:
        return False
    return True


def _ended(connection: Any) -> bool:
    """Whether what was read is rolled back and no transaction stays open."""
    from adbc_driver_manager import Error

    try:
        connection.rollback()
        connection.adbc_connection.set_autocommit(True)
    except Error:
        return False
    return True
