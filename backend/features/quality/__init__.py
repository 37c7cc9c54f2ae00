"""What a data set is like, told to a person and to a machine (docs/quality.md); pure: tables in, a report out."""

from backend.features.quality.findings import Finding
from backend.features.quality.page import as_html
from backend.features.quality.quality_report import QualityReport
from backend.features.quality.reporting import report

__all__ = ["Finding", "QualityReport", "as_html", "report"]
