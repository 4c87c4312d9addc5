"""What assistants ask about: the Holidays catalogue, and an archive of two builds of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from apteco_frames import Archive, Catalogue
from apteco_frames.demo import holidays


def newer(whole: Catalogue, days: int = 1) -> Catalogue:
    """The build of some days later: a variable is gone, and so are nine bookings in ten."""
    info = whole.system_info
    assert info.build_date
    records = pl.when(pl.col("name") == "Bookings").then(213_008).otherwise("total_records")
    return Catalogue(
        info._replace(build_date=info.build_date + timedelta(days=days)),
        whole.tables.frame.with_columns(total_records=records),
        whole.variables[1:],
        whole.codes.frame.with_columns(
            count=pl.when(table_name="Bookings").then(pl.col("count") // 10).otherwise("count")
        ),
        whole.folders.frame.with_columns(pl.col("variable_names").list.set_difference(["hoURN"])),
    )


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the saved catalogues ``holidays`` and ``newer``, and with ``archive``."""
    folder = tmp_path_factory.mktemp("saved")
    whole = holidays()
    whole.write_parquet(folder / "holidays")
    newer(whole).write_parquet(folder / "newer")
    archive = Archive(folder / "archive")
    assert archive.add(whole)
    assert archive.add(newer(whole))
    return folder
