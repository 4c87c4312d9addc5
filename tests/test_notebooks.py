"""The notebooks run, and show what their committed outputs show.

``python tests/test_notebooks.py`` runs them and writes the outputs into them.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted(Path(__file__).parents[1].joinpath("notebooks").glob("*.ipynb"))
TIMEOUT = 600  # seconds a cell, to end what hangs
# The demo server takes any free port.
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")
TOKEN_ENDS = re.compile(r"(?<=Token ends )[-\d]+ [:\d]+(?= UTC)")
# Browsers draw letters differently, and some machines have none to draw with.
PICTURE = {"image/png": "a picture"}
NO_BROWSER = {"text/plain": "'There is no Chromium here to take a picture.'"}
MAX_PICTURE = 150_000  # bytes
MARKUP = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)


def read(path: Path) -> Any:
    """A notebook that follows the format."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    return notebook


def run(notebook: Any, folder: Path, **env: str) -> Any:
    """A copy of the notebook with new outputs, run in the folder and the environment."""
    fresh = copy.deepcopy(notebook)
    client = nbclient.NotebookClient(
        fresh,
        kernel_name="python3",
        timeout=TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    # The kernel finds the package where this process does.
    client.execute(env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **env})
    return fresh


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(cell: Any) -> list[dict[str, str]]:
    """What a cell shows, by kind of text, without ports, HTML's markup, and when a token ends."""
    kinds = []
    for output in cell.outputs:
        if output.output_type == "stream":
            shown = {output.name: output.text}
        elif output.output_type == "error":
            shown = {"error": "\n".join(output.traceback)}
        else:
            shown = dict(output.data)
            if "image/png" in shown:
                shown = PICTURE
            if "text/html" in shown:
                shown["text/html"] = " ".join(MARKUP.sub(" ", shown["text/html"]).split())
        kinds.append(
            {kind: TOKEN_ENDS.sub("LATER", PORT.sub("PORT", text)) for kind, text in shown.items()}
        )
    return kinds


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.name)
def committed(request: pytest.FixtureRequest) -> Any:
    """A notebook as it is committed."""
    return read(request.param)


def test_there_are_notebooks() -> None:
    """The tests below have something to run on."""
    assert [path.stem for path in NOTEBOOKS] == ["data_dictionary", "quickstart", "what_changed"]


def test_every_code_cell_is_committed_with_its_output(committed: Any) -> None:
    """Each code cell was run, in order, and shows something that is not an error."""
    cells = code_cells(committed)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        kinds = [output.output_type for output in cell.outputs]
        assert kinds, cell.source
        assert "error" not in kinds, cell.source


def test_a_notebook_says_nothing_of_the_machine_it_ran_on(committed: Any) -> None:
    """Kernel and language are those of any machine, and no absolute path is shown."""
    assert committed.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(cell.metadata == {} for cell in committed.cells)
    text = json.dumps(committed)
    assert not re.search(r"""(?<![\w.:/])(/(home|root|tmp|usr|work|Users|var)/|[A-Z]:\\\\)""", text)


def test_a_run_shows_what_is_committed(committed: Any, tmp_path: Path) -> None:
    """Run anew in an empty folder, no cell fails, and each shows the same texts as before."""
    for old, new in zip(code_cells(committed), code_cells(run(committed, tmp_path)), strict=True):
        shown = [PICTURE if output == NO_BROWSER else output for output in outputs(new)]
        assert shown == outputs(old), old.source


def test_the_data_dictionary_is_pictured() -> None:
    """The last cell is committed with a picture, and a small one."""
    (output,) = code_cells(read(NOTEBOOKS[0]))[-1].outputs
    assert len(base64.b64decode(output.data["image/png"])) < MAX_PICTURE


def test_without_a_browser_there_is_no_picture(tmp_path: Path) -> None:
    """Where no Chromium is found, the last cell says so, and the files are made all the same."""
    fresh = run(read(NOTEBOOKS[0]), tmp_path, PATH="")
    assert outputs(code_cells(fresh)[-1]) == [NO_BROWSER]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["holidays.html", "holidays.xlsx"]


def rewrite(path: Path) -> None:
    """Run a notebook and write the outputs into it."""
    with TemporaryDirectory() as folder:
        fresh = run(read(path), Path(folder))
    fresh.metadata.language_info = {"name": "python"}
    fresh.metadata.pop("widgets", None)  # of progress, which is over
    nbformat.write(fresh, path)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    for path in NOTEBOOKS:
        rewrite(path)
