"""Playlists as files: M3U, XSPF, JSPF and CSV written, and read as what a list is continued from."""
