"""Questions to catalogues: Arrow tables in, Arrow tables out."""
