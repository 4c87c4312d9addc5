"""Every name of ``apteco``'s modules is here, or is an error that says where it is."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import apteco
import pytest

MODULES = [info.name for info in pkgutil.iter_modules(apteco.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_classes(name: str) -> None:
    """Each class of a module can be imported here, or is an error that hints at ``apteco``."""
    theirs = importlib.import_module(f"apteco.{name}")
    ours = importlib.import_module(f"apteco_frames.{name}")
    classes = [key for key, value in vars(theirs).items() if inspect.isclass(value)]
    own = [key for key in classes if getattr(theirs, key).__module__ == theirs.__name__]
    assert own
    for key in own:
        try:
            found = getattr(ours, key)
        except ImportError as error:
            assert "stay with `apteco`" in str(error) or "made by login()" in str(error)  # noqa: PT017
        else:
            assert inspect.isclass(found)


def test_names_at_the_top() -> None:
    """So it is with what ``apteco`` has at its top."""
    import apteco_frames

    there = [name for name in apteco.__all__ if name in apteco_frames.__all__]
    assert there == ["login", "login_with_password", "Session"]
    for name in set(apteco.__all__) - set(there):
        with pytest.raises(ImportError, match="stay with `apteco`"):
            getattr(apteco_frames, name)
