"""A database's address in the forms that its clients read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from backend.utils.errors import ConfigurationError

_SCHEMES: Final = frozenset(
    {"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"}
)
_BOTH: Final = frozenset({"host", "port"})  # parameters that asyncpg reads from an address as libpq does
_TRANSACTION_POOLER: Final = (
    6543  # Supabase's pooler, where prepared statements don't live from one statement to the next
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database stands."""

    _url: URL

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `postgresql://user:password@host:port/database?…`.

        Raises:
            ConfigurationError: it is no address of a PostgreSQL; the message does not repeat it, it may hold a password.
        """
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise ConfigurationError(
                "DATABASE_URL is no address; it has the form postgresql://user:password@host:5432/database"
            ) from None
        if url.drivername not in _SCHEMES:
            raise ConfigurationError(
                f"DATABASE_URL begins with {url.drivername}://; Tensoe needs a PostgreSQL: postgresql://user:password@host:5432/database"
            )
        return cls(url)

    @property
    def dsn(self) -> str:
        """For libpq."""
        query = {k: v for k, v in self._url.query.items() if k != "pgbouncer"}  # PgBouncer's own, unknown to libpq
        return self._url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)

    @property
    def open_dsn(self) -> str:
        """For libpq's programs, whose arguments everybody sees: without the password."""
        query = {k: v for k, v in self._url.query.items() if k not in {"pgbouncer", "password"}}
        return self._url.set(drivername="postgresql", password=None, query=query).render_as_string(hide_password=False)

    @property
    def password(self) -> str | None:
        """The password, to be handed on where nobody sees it."""
        found = self._url.password or self._url.query.get("password")
        return None if found is None else str(found)

    @property
    def sqlalchemy(self) -> str:
        """For SQLAlchemy on asyncpg."""
        return self._plain("postgresql+asyncpg")

    @property
    def asyncpg(self) -> str:
        """For asyncpg, which takes the rest as `asyncpg_options`."""
        return self._plain("postgresql")

    def _plain(self, driver: str) -> str:
        kept = {k: v for k, v in self._url.query.items() if k in _BOTH}
        return self._url.set(drivername=driver, query=kept).render_as_string(hide_password=False)

    @property
    def asyncpg_options(self) -> dict[str, Any]:
        """What asyncpg takes as arguments: TLS mode, and no prepared statements behind a transaction pooler."""
        options: dict[str, Any] = {}
        if sslmode := self._url.query.get("sslmode"):
            options["ssl"] = sslmode
        if name := self._url.query.get("application_name"):
            options["server_settings"] = {"application_name": name}
        if self._url.port == _TRANSACTION_POOLER or self._url.query.get("pgbouncer") == "true":
            options["statement_cache_size"] = 0
        return options

    @property
    def shown(self) -> str:
        """For people: without user and password."""
        host = self._url.host or self._url.query.get("host") or "localhost"
        return f"{host}:{self._url.port or 5432}/{self._url.database or ''}"

    @property
    def user(self) -> str | None:
        """The user's name."""
        return self._url.username
