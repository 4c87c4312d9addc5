"""The search of the data dictionary in a browser: it finds what the package finds, in its order."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from search_cases import SYNONYMS, cases, catalogue

pytestmark = pytest.mark.slow  # a browser starts

SCRIPTS = "\n".join(
    files("apteco_frames.render").joinpath(f"dictionary-{part}.js").read_text(encoding="utf-8")
    for part in ("data", "search")
)
# What is found of each query: the names, by noun, and what is said of them.
RUN = """async ([packed, queries]) => {
  const system = new System(...(await unpacked(packed))), search = new Search(system);
  await inSteps(search.growing());
  const { head, columns, variableOf } = system, found = [];
  const allowed = new Uint8Array(head.variables).fill(1);
  for (const query of queries) {
    const variables = await inSteps(search.variables(query, allowed));
    const codes = await inSteps(search.codesOf(query, allowed));
    const named = (numbers, nouns) => Array.from(numbers, (n) => nouns[n].name);
    found.push({
      variable: Array.from(variables, (row) => system.of(row, "name")),
      code: Array.from(codes, (row) => [
        system.of(variableOf[row], "name"), columns["code.code"].at(row),
      ]),
      table: named(search.tables, head.tables),
      folder: named(search.folders, head.folders),
      words: [search.had, search.asked],
      nearest: Object.fromEntries(search.nearest),
    });
  }
  return found;
}"""
OTHERS = (
    *("destnashun", "budget", "zzz", "va", "a", "the", "!", "- £", "date of nothing", "1234"),
    *("email web visit", "e", "sued", "unclassified income", "holiday in sweden for the family"),
)


@pytest.mark.parametrize("name", ["holidays", "bank", "languages", "synonyms"])
def test_the_page_finds_what_the_package_finds(page: Page, tmp_path: Path, name: str) -> None:
    """Each query has the same answers in the same order, and the same is said of them."""
    synonyms = SYNONYMS if name == "synonyms" else {}
    queries = [query for of, _, query, _ in cases() if of == name] + list(OTHERS)
    whole = catalogue(name)
    text = whole.write_html(tmp_path / "page.html", synonyms=synonyms).read_text("utf-8")
    (packed,) = re.findall(r'<script id="data" type="text/plain">([^<]*)<', text)
    page.add_script_tag(content=SCRIPTS)
    answers: list[dict[str, Any]] = page.evaluate(RUN, [packed, queries])
    for query, answer in zip(queries, answers, strict=True):
        found = whole.search(query, limit=100_000, synonyms=synonyms)
        names: dict[str, list[Any]] = {noun: [] for noun in ("variable", "code", "table", "folder")}
        for match in found:
            names[match.noun].append(match.name)
        codes = [f"{variable}[{json.dumps(code)}]" for variable, code in answer.pop("code")]
        assert codes == names.pop("code"), query
        assert answer.pop("folder") == [path.rpartition("/")[2] for path in names.pop("folder")]
        assert (answer["variable"], answer["table"]) == (names["variable"], names["table"]), query
        had, asked = answer["words"]
        assert (had == asked) == found.has_all_words, query
        assert {word: tuple(near) for word, near in answer["nearest"].items()} == found.nearest
