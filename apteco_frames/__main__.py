"""``python -m apteco_frames``: the same program as ``apteco-frames``."""

from __future__ import annotations

from apteco_frames.cli import program

if __name__ == "__main__":
    program()
