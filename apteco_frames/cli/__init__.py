"""The command line: arguments to public functions to text."""

from __future__ import annotations

from apteco_frames.cli.demo import main

__all__ = ["main"]
