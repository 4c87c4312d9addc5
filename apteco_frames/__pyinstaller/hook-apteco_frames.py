"""All modules, many of which are imported on first use, by name; and the files beside them."""

from __future__ import annotations

from pathlib import Path

_package = Path(__file__).parents[1]
_files = [path for path in _package.rglob("*") if path.is_file()]

datas = [
    (str(path), str(path.parent.relative_to(_package.parent)))
    for path in _files
    if path.suffix not in (".py", ".pyc")
]
hiddenimports = [
    ".".join(path.relative_to(_package.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in _files
    if path.suffix == ".py" and Path(__file__).parent not in path.parents
]
