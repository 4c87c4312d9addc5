"""``python -m apteco_frames``: the same program as ``apteco-frames``."""

from __future__ import annotations

import sys

from apteco_frames.cli import main

if __name__ == "__main__":
    sys.exit(main())
