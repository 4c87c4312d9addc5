"""A program that is frozen: a login, codes, and all that needs files of the package."""

from __future__ import annotations

import sys
from pathlib import Path

from apteco_frames import Archive, Catalogue, errors
from apteco_frames.demo import DemoServer

folder = Path(sys.argv[1])
with DemoServer() as demo, demo.login() as session:
    assert session.codes["Destination"]["Sweden"].code == "29"
    assert len(session.folders) > 0
    assert session.search("travle date")[0].name == "boTrav"
    assert session.sql("select name from variables").height == 94
    session.write_html(folder / "holidays.html")
    session.write_excel(folder / "holidays.xlsx")
    session.catalogue.write_parquet(folder / "holidays")
    assert session.api_client.configuration.host == demo.base_url
    assert Archive(folder / "archive").add(session)
    assert Catalogue.read_parquet(folder / "holidays") == session.catalogue
try:
    Catalogue.read_parquet(folder / "nothing")
except errors.SnapshotError as error:
    print(error)

from apteco_frames.cli import main  # noqa: E402 - as programs of users would not

sys.exit(main(["tables", "--catalogue", str(folder / "holidays")]))
