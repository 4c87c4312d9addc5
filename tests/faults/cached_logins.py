"""Logs in again and again with a cache, and sees that all is as the server has it.

Run as a program with the server's URL, the cache's folder and a number of logins; some of
them read anew. Many such programs share a folder.
"""

from __future__ import annotations

import random
import sys

from apteco_frames import login_with_password
from apteco_frames.demo import holidays
from apteco_frames.demo.api import PASSWORD


def main(base_url: str, folder: str, logins: int) -> None:
    """Log in, read, compare."""
    whole = holidays()
    for number in range(logins):
        session = login_with_password(
            base_url, "Holidays", "holidays", "Administrator", PASSWORD, cache=folder
        )
        if random.random() < 0.2:
            session.refresh()
        assert len(session.codes) == len(whole.codes)
        assert len(session.folders) == len(whole.folders)
        assert session.catalogue == whole, number
        session.logout()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
