"""Whether the settings are there, can be read, and are safe."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from backend.config.settings import Settings, SettingsGroup
from backend.ingestion.exchange import HttpSettings
from backend.ingestion.source import Source
from backend.models.diagnosis import Finding, ok, problem, warning
from backend.utils import tracing

_NEAR: Final = 0.85  # of a name's letters: nearer to a variable of ours than to any other word
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not listened on


def check_file(path: Path | None, known: Iterable[str]) -> list[Finding]:
    """Whether the file of settings can be read, and only by its owner, and what in it nobody knows."""
    if path is None or not path.exists():
        return [ok("settings file", "no .env in this folder: settings come from the environment alone")]
    where = path.absolute()
    if not path.is_file():
        return [
            problem("settings file", f"{where} is no file", remedy="remove it, and write settings into a file .env")
        ]
    try:
        names = set(dotenv_values(path, encoding="utf-8"))
    except OSError as fault:
        return [
            problem(
                "settings file",
                f"{where} cannot be read: {fault.strerror}",
                remedy=f"give it to who runs Tensoe: chown $USER {where} && chmod 600 {where}",
            )
        ]
    except UnicodeDecodeError as fault:
        said = f"{where} is no UTF-8 (byte {fault.start + 1:,})"
        return [problem("settings file", said, remedy="save it as UTF-8; until then nothing of it is used")]
    found = list(_unknown(names, {name.upper() for name in known}))
    if stat.S_IMODE(path.stat().st_mode) & 0o077 and os.name == "posix":
        found.append(
            warning("settings file", f"others may read {where}, which may hold keys", remedy=f"chmod 600 {where}")
        )
    return found or [ok("settings file", f"{where} is read")]


def check_safety(settings: Settings) -> list[Finding]:
    """Whether strangers could write, and providers could reach who asks them."""
    found = []
    if not settings.api.keys and settings.api.api_host in _EVERYWHERE:
        found.append(
            warning(
                "API keys",
                f"API_KEYS is empty and API_HOST is {settings.api.api_host}: whoever reaches the port may write",
                remedy="set API_KEYS (openssl rand -hex 32), or API_HOST=127.0.0.1",
            )
        )
    else:
        found.append(ok("API keys", f"{len(settings.api.keys)} set, API_HOST is {settings.api.api_host}"))
    if not HttpSettings.read().tensoe_contact:
        found.append(
            warning(
                "contact",
                "TENSOE_CONTACT is empty: providers that want to know who asks may shut us out",
                remedy="set it to a mail address or a page",
            )
        )
    return found


def check_traces() -> list[Finding]:
    """Whether traces can be sent, where the environment asks for them."""
    if not tracing.is_wanted():
        return []
    wrong = tracing.start()
    if wrong:
        return [warning("traces", "nothing is traced", remedy=wrong)]
    return [ok("traces", "made as OTEL_* asks for; a collector that is away is seen in the log alone")]


def check_keys(sources: Sequence[Source], used: frozenset[str]) -> list[Finding]:
    """Which sources cannot be asked for want of a setting."""
    found = []
    for source in sources:
        profile, reason = source.profile, source.unconfigured()
        if reason is None or profile.name not in used:
            continue
        check = f"key: {profile.name}"
        if not profile.keyed:
            found.append(ok(check, f"not asked: {reason}"))
            continue
        where = f"get a key at {profile.key_at}, then " if profile.key_at else ""
        found.append(warning(check, f"not asked: {reason}", remedy=f"{where}write it into .env or the environment"))
    return found


def variables(groups: Iterable[type[SettingsGroup]]) -> set[str]:
    """The names of the variables that groups of settings read."""
    return {name.upper() for group in groups for name in group.model_fields}


def _unknown(names: Iterable[str], known: set[str]) -> Iterable[Finding]:
    """Names that are nearly one of ours; others may belong to whoever else reads the file."""
    for name in sorted({n.upper() for n in names} - known):
        near = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
        if near:
            yield warning(
                "settings file", f"nobody reads {name}", remedy=f"if {near[0]} is meant, write it so; else remove it"
            )
