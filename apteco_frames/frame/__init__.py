"""The catalogue frame: an Arrow table that is also a collection of rows."""
