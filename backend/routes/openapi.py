"""The API's description without a database or a server: `python -m backend.routes.openapi` prints it as JSON."""

from __future__ import annotations

import sys

import orjson

from backend.config.settings import Settings
from backend.routes.application import build_app


def main() -> None:
    """Print it."""
    sys.stdout.buffer.write(orjson.dumps(build_app(Settings()).openapi()))


if __name__ == "__main__":
    main()
