"""One frozen group of settings per concern. Names of variables are the fields' names in capitals.

A source's own settings stand in the source's file (`ingestion/<name>_fetcher.py`) as one more `SettingsGroup`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.utils.errors import ConfigurationError

MASK = "********"
_SHORTEST_KEY = 12


class Environment(StrEnum):
    """Where the server runs; production is strict."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class SettingsGroup(BaseSettings):
    """The base of every group: environment first, then `.env`; empty counts as unset; frozen."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    @classmethod
    def read(cls) -> Self:
        """Read the group.

        Raises:
            ConfigurationError: a value does not fit; the message names the variable, never the value.
        """
        try:
            return cls()
        except ValidationError as problem:
            faults = "; ".join(
                f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in problem.errors(include_input=False)
            )
            # `from None`: pydantic's own text repeats the values, which may be secrets.
            raise ConfigurationError(f"Settings (environment or .env) do not fit: {faults}") from None

    def shown(self) -> dict[str, Any]:
        """The values for people, keyed by variable name, secrets masked."""
        # By declared field: iterating over the group would also show what its cached properties have computed.
        return {name.upper(): _mask(getattr(self, name)) for name in type(self).model_fields}

    def secrets(self) -> list[str]:
        """The secret values, for masking: each of a list, and the password alone of an address."""
        texts = [
            v.get_secret_value()
            for v in (getattr(self, n) for n in type(self).model_fields)
            if isinstance(v, SecretStr)
        ]
        return [secret for text in texts for secret in (_passwords(text) if "://" in text else _split(text))]


def _passwords(address: str) -> tuple[str, ...]:
    """The password of an address, as it is written and as libraries report it; all of an address that cannot be read."""
    try:
        password = urlsplit(address).password
    except ValueError:
        return (address,)
    return (password, unquote(password)) if password else ()


def _mask(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else None
    if isinstance(value, tuple):
        return [_mask(v) for v in value]
    return str(value) if isinstance(value, Path) else value


class AppSettings(SettingsGroup):
    """The process: where it runs, where it keeps its files, how loud it is."""

    environment: Environment = Environment.DEVELOPMENT
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    tensoe_home: Path = Field(default_factory=lambda: Path.home() / ".tensoe")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("tensoe_home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


class ApiSettings(SettingsGroup):
    """Our own HTTP service and what guards it."""

    api_host: str = "0.0.0.0"  # noqa: S104 - promised default; writing needs a key in production
    api_port: int = Field(default=8000, ge=0, le=65535)
    api_keys: SecretStr = SecretStr("")  # comma-separated; each may everything. `tensoe key make` makes others
    anonymous_reading: bool = True  # false: reading needs a key, too
    cors_origins: str = ""  # comma-separated; "*" is refused in production
    rate_limit: str = "600/minute"  # per address, in the notation of the `limits` library; "off" for none
    api_answer_seconds: float = Field(default=60, gt=0)  # until the answer to a reading request must have begun
    max_body_bytes: int = Field(default=2_000_000, ge=1_000)
    max_import_bytes: int = Field(default=200_000_000, ge=1_000)  # of saved pages and tables sent at once
    max_batch_albums: int = Field(default=10_000, ge=1)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The API keys that may write."""
        return _split(self.api_keys.get_secret_value())

    @cached_property
    def origins(self) -> tuple[str, ...]:
        """The origins that browsers may call from."""
        return _split(self.cors_origins)


class DatabaseSettings(SettingsGroup):
    """PostgreSQL; the embedded server when `DATABASE_URL` is unset."""

    database_url: SecretStr | None = None
    db_pool_size: int = Field(default=5, ge=1)
    db_max_overflow: int = Field(default=10, ge=0)
    db_pool_timeout: float = Field(default=30, gt=0)  # seconds
    db_start_timeout: float = Field(default=60, ge=0)  # seconds for which a server or worker that starts waits for it
    supabase_url: str | None = None
    supabase_anon_key: SecretStr | None = None


class CacheSettings(SettingsGroup):
    """The cache of answers; TTLs in seconds."""

    redis_url: SecretStr | None = None
    cache_default_ttl: int = Field(default=3600, ge=1)
    cache_album_ttl: int = Field(default=7200, ge=1)
    cache_user_ttl: int = Field(default=1800, ge=1)


class IngestionSettings(SettingsGroup):
    """How albums are collected."""

    ingestion_batch_size: int = Field(default=50, ge=1)  # albums of jobs begun at once
    ingestion_max_concurrent: int = Field(default=10, ge=1, le=200)  # of each source, albums asked for at a time
    ingestion_window: int = Field(default=200, ge=1, le=10_000)  # albums on their way at a time, over all workers
    # After which seconds a step that failed of something passing is tried again, each time; then it has failed.
    ingestion_retry_seconds: tuple[float, ...] = (5, 30, 120, 600)
    ingestion_request_seconds: float | None = Field(
        default=None, gt=0
    )  # for one request; unset: as each source is known
    ingestion_refresh_hours: float = Field(default=6, ge=0)  # between looks for what is no longer fresh; 0: never
    ingestion_refresh_albums: int = Field(default=500, ge=1)  # at the most asked for again at a time
    max_genres_per_track: int = Field(default=10, ge=0)
    max_moods_per_track: int = Field(default=15, ge=0)
    tensoe_demo: Literal["auto", "on", "off"] = "auto"  # auto: on while no provider key is set
    # By field, which sources are believed before all others: {"tempo": ["reccobeats", "-deezer"], "label": ["musicbrainz"]}
    merge_policy: dict[str, list[str]] = Field(default_factory=dict)


class MlSettings(SettingsGroup):
    """Limits of what is served for training."""

    ml_training_data_limit: int = Field(default=50_000, ge=1)
    ml_feature_matrix_limit: int = Field(default=20_000, ge=1)
    ml_min_features_per_track: int = Field(default=3, ge=0)


class Settings:
    """All groups, read together.

    Attributes are the groups: app, api, database, cache, ingestion, ml.
    """

    def __init__(self) -> None:
        self.app = AppSettings.read()
        self.api = ApiSettings.read()
        self.database = DatabaseSettings.read()
        self.cache = CacheSettings.read()
        self.ingestion = IngestionSettings.read()
        self.ml = MlSettings.read()
        self._refuse_unsafe()

    def _refuse_unsafe(self) -> None:
        if self.app.environment is not Environment.PRODUCTION:
            return
        faults = []
        if self.app.debug:
            faults.append("DEBUG=true shows internals to strangers; set DEBUG=false")
        if not self.api.keys:
            faults.append("API_KEYS is empty, so nobody could write; set at least one long random key")
        elif min(map(len, self.api.keys)) < _SHORTEST_KEY:
            faults.append(f"API_KEYS has a key of less than {_SHORTEST_KEY} characters; make one: openssl rand -hex 32")
        if "*" in self.api.origins:
            faults.append("CORS_ORIGINS=* lets every web page call this server; name the origins")
        if faults:
            raise ConfigurationError("ENVIRONMENT=production refuses to start: " + "; ".join(faults))

    def shown(self) -> dict[str, dict[str, Any]]:
        """All groups for people, secrets masked."""
        groups = (self.app, self.api, self.database, self.cache, self.ingestion, self.ml)
        return {type(g).__name__.removesuffix("Settings").lower(): g.shown() for g in groups}


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
