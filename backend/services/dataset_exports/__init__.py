"""Data sets in the forms that others read (docs/exports.md): one small module per form behind one `Writer`."""

from backend.services.dataset_exports.export import FORMS, export, packed

__all__ = ["FORMS", "export", "packed"]
