"""Catalogues on disk and in strings."""
