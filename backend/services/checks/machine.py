"""Whether this machine has what Tensoe needs: room, memory, folders of its own, and the cache server where one is set."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from backend.cache import Cache
from backend.models.diagnosis import Finding, ok, problem, warning

_GB: Final = 10**9
_LEAST_DISK: Final = 1 * _GB  # below it PostgreSQL may stop at any time
_LITTLE_DISK: Final = 5 * _GB
_LEAST_MEMORY: Final = 0.3 * _GB
_LITTLE_MEMORY: Final = 1 * _GB  # what learning and large exports take
_MEMORY: Final = Path("/proc/meminfo")
_GROUP: Final = Path("/sys/fs/cgroup")


def check_disk(places: Iterable[Path]) -> list[Finding]:
    """Room where data are written; places on one file system are said once."""
    found, seen = [], set()
    for place in places:
        there = next((p for p in (place, *place.parents) if _is_there(p)), Path("/"))
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        found.append(disk(place, shutil.disk_usage(there).free))
    return found


def disk(place: Path, free: int) -> Finding:
    """What so many free bytes mean."""
    check, said = "disk", f"{free / _GB:,.1f} GB free at {place}"
    remedy = "free some, or move TENSOE_HOME to a larger disk; `tensoe status` says what is kept of each source"
    if free < _LEAST_DISK:
        return problem(check, said, remedy=remedy)
    return warning(check, said, remedy=remedy) if free < _LITTLE_DISK else ok(check, said)


def check_memory(*, memory: Path = _MEMORY, group: Path = _GROUP) -> list[Finding]:
    """Memory that is free for use: the machine's, or what is left of a container's share."""
    left = [n for n in (_of_machine(memory), _of_group(group)) if n is not None]
    if not left:
        return []  # not said on this system
    said = f"{min(left) / _GB:,.1f} GB available"
    remedy = "end other programs, or lower INGESTION_WINDOW and ML_TRAINING_DATA_LIMIT"
    if min(left) < _LEAST_MEMORY:
        return [problem("memory", said, remedy=remedy)]
    return [warning("memory", said, remedy=remedy) if min(left) < _LITTLE_MEMORY else ok("memory", said)]


def check_folder(home: Path) -> list[Finding]:
    """Whether TENSOE_HOME is there, ours to write, and no one else's."""
    try:
        return _folder(home)
    except PermissionError as fault:
        return [problem("folder", f"{fault.filename} cannot be entered", remedy=_HOME)]


def _folder(home: Path) -> list[Finding]:
    if not home.exists():
        there = next(p for p in home.parents if p.exists())
        if os.access(there, os.W_OK | os.X_OK):
            return [ok("folder", f"{home} is made at the first start")]
        return [problem("folder", f"{home} cannot be made: {there} is not ours to write", remedy=_HOME)]
    if not home.is_dir():
        return [problem("folder", f"TENSOE_HOME {home} is no folder", remedy=_HOME)]
    closed = [p for p in (home, *_children(home)) if not os.access(p, os.R_OK | os.W_OK | os.X_OK)]
    if closed:
        remedy = f"give it to who runs Tensoe: chown -R $USER {home}"
        return [problem("folder", f"{', '.join(map(str, closed))} cannot be written", remedy=remedy)]
    if stat.S_IMODE(home.stat().st_mode) & stat.S_IWOTH:
        return [warning("folder", f"everybody may write to {home}", remedy=f"chmod o-w {home}")]
    return [ok("folder", f"{home} can be written")]


async def check_cache(cache: Cache) -> list[Finding]:
    """Whether the cache server answers, where one is set."""
    state = await cache.state()
    if state["reachable"]:
        return [ok("cache", f"{state['kind']}, {state.get('entries') or 0:,} entries")]
    return [
        warning(
            "cache",
            f"the {state['kind']} server does not answer: everything is computed anew, and each process limits rates by itself",
            remedy="check REDIS_URL and that the server runs, or unset REDIS_URL",
        )
    ]


_HOME: Final = "set TENSOE_HOME to a folder of your own"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # in a folder that is closed to us
        return False


def _children(home: Path) -> list[Path]:
    # The data of the embedded server belong to another user where we are root, who may do everything anyway.
    return [p for p in (home / "exports",) if p.is_dir()]


def _of_machine(path: Path) -> int | None:
    """MemAvailable of Linux (proc(5)), in bytes."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _of_group(folder: Path) -> int | None:
    """What is left of a control group's limit (cgroup v2); None without a limit."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return max(0, int(limit) - used) if limit.isdigit() else None
