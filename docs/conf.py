"""How Sphinx builds the site: ``tox -e docs``, or ``sphinx-build -W -n docs docs/_build/html``.

Nothing is fetched while it is built, and its pages ask nobody else for anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

from apteco_frames import __version__

sys.path.insert(0, str(Path(__file__).parent))

project = "apteco_frames"
author = "The apteco_frames authors"
version = release = __version__
language = "en-GB"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "extension"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_attr_annotations = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Warns", "params_style")]

# Types of other packages and of Python; what is ours, `extension` finds.
nitpick_ignore_regex = [("py:.*", r"(?!apteco_frames\b).*")]
# What stands in a signature, but is not for users to make.
nitpick_ignore = [
    ("py:class", "apteco_frames.demo.server.DemoHandler"),
    ("py:class", "apteco_frames.frame.base._RowType"),
    ("py:class", "apteco_frames.links.Links"),
    ("py:class", "apteco_frames.links.Owner"),
]

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "apteco_frames"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_domain_indices = False
# For these the search fetches pages, which browsers refuse to pages that are opened from disk.
html_show_search_summary = False
html_theme_options = {"navigation_with_keys": False}
# Doctests are shown as they are typed, options and all that belongs to them left out.
trim_doctest_flags = True
