"""The pictures of README and site, which ``docs/pictures.py`` takes."""

from __future__ import annotations

import runpy
import struct
from pathlib import Path

import pytest
from browser.chromium import PROGRAM
from examples import ROOT

PICTURES = ROOT / "docs" / "pictures"


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG file."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


@pytest.mark.skipif(PROGRAM is None, reason="there is no chromium; .ci/run installs Debian's")
def test_the_pictures_can_be_taken_anew(tmp_path: Path) -> None:
    """The script takes pictures of the names and sizes that are committed."""
    pytest.importorskip("markdown_it", reason="the group docs brings what draws the notebook")
    runpy.run_path(str(ROOT / "docs" / "pictures.py"))["take_all"](tmp_path)
    taken, committed = (
        {path.name: size(path) for path in folder.glob("*.png")} for folder in (tmp_path, PICTURES)
    )
    assert taken == committed
