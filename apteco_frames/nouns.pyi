# The nouns that lead to each other, for annotations: a table has variables, and a variable is on
# a table, so no order of modules lets each name the other. Type checkers allow it in a stub. At
# run time there is no such module, and what leads back goes by links.py.

from apteco_frames.folders import Folder as Folder
from apteco_frames.folders import Folders as Folders
from apteco_frames.tables import Table as Table
from apteco_frames.tables import Tables as Tables
from apteco_frames.uses import Uses as Uses
from apteco_frames.variables import Variable as Variable
from apteco_frames.variables import Variables as Variables
