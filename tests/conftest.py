"""What all tests share."""

from __future__ import annotations

import hypothesis

# Machines of CI are slow by turns: no example fails for its time alone.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")
