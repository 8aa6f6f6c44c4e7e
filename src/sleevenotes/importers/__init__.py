"""Importers: one file per export format, bytes in, scrobbles out."""
