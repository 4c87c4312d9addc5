"""What IPython offers while a key is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from strategies import catalogue_of, variable_item

from apteco_frames.demo import holidays

ASK = """
import json, sys, warnings
warnings.simplefilter("ignore")
from IPython.core.interactiveshell import InteractiveShell
from apteco_frames.demo import holidays
shell = InteractiveShell.instance()
shell.Completer.evaluation = sys.argv[2]
tables, variables = holidays().tables, holidays().variables
shell.user_ns |= {"tables": tables, "variables": variables, "people": tables["People"]}
shell.user_ns |= {"codes": variables.codes, "destinations": variables.codes["boDest"]}
shell.user_ns |= {"names": variables.names, "descs": variables.descs}
print(json.dumps({typed: shell.complete(typed)[1] for typed in json.loads(sys.argv[1])}))
"""

OFFERED = {
    'tables["Po': ['tables["Policies'],
    'variables["boD': ['variables["boDate', 'variables["boDest'],
    "variables['boD": ["variables['boDate", "variables['boDest"],
    'variables["Occupation': ['variables["Occupation', 'variables["Occupation Group'],
    'names["boD': ['names["boDate', 'names["boDest'],
    'descs["Occ': ['descs["Occupation', 'descs["Occupation Group'],
    'descs["boD': [],
    'people["Occ': ['people["Occupation', 'people["Occupation Group'],
    'people["boD': [],
    'codes["boD': ['codes["boDate', 'codes["boDest'],
    'destinations["S': [
        *('destinations["Senegal', 'destinations["Sierra Leone'),
        *('destinations["South Africa', 'destinations["Sweden'),
    ],
    # IPython looks up nothing in objects of others, unless told to.
    'codes["boDest"]["Sw': [],
}
OFFERED_WHEN_LOOKED_UP = {
    'codes["boDest"]["Sw': ['codes["boDest"]["Sweden'],
    'tables["People"]["Occ': [
        *('tables["People"]["Occupation', 'tables["People"]["Occupation Group'),
    ],
}


@pytest.mark.parametrize(
    ("evaluation", "offered"), [("limited", OFFERED), ("unsafe", OFFERED_WHEN_LOOKED_UP)]
)
def test_ipython_completes_keys(
    tmp_path: Path, evaluation: str, offered: dict[str, list[str]]
) -> None:
    """IPython offers the keys that go on as was typed, and no others."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(list(offered)), evaluation],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    given = json.loads(done.stdout)
    assert {typed: [text.rstrip("\"']") for text in given[typed]] for typed in given} == offered


def test_keys_are_names_and_descriptions() -> None:
    """The keys are those that a look-up takes, each once."""
    catalogue = holidays()
    keys: Any = catalogue.variables._ipython_key_completions_()
    assert len(set(keys)) == len(keys)
    assert set(keys) == {*catalogue.variables.names, *catalogue.variables.descs}
    assert all(key in catalogue.variables for key in keys)
    assert catalogue.tables._ipython_key_completions_() == [t.name for t in catalogue.tables]
    for table in catalogue.tables:
        assert set(table._ipython_key_completions_()) == {
            text for v in table.variables for text in (v.name, v.description)
        }
    assert catalogue.variables[:0]._ipython_key_completions_() == []


def test_huge_frames_offer_some_keys() -> None:
    """No more than 10,000 keys are offered, names and descriptions alike."""
    variables = catalogue_of(None, [variable_item(f"v{i}") for i in range(12_000)]).variables
    keys = variables._ipython_key_completions_()
    assert len(keys) == 10_000
    assert {"v0", "v4999", "Description of v4999"} <= set(keys)
    assert len(variables.names._ipython_key_completions_()) == 10_000
