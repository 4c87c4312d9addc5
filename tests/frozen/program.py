"""A program that is frozen: a login, codes, and all that needs files of the package."""

from __future__ import annotations

import sys
from pathlib import Path

from apteco_frames import Archive, Catalogue, errors
from apteco_frames.demo import DemoServer


def use(folder: Path) -> None:
    """Do what programs do."""
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


if __name__ == "__main__":
    use(Path(sys.argv[1]))
    from apteco_frames.cli import main

    sys.exit(main(["tables", "--catalogue", str(Path(sys.argv[1]) / "holidays")]))
