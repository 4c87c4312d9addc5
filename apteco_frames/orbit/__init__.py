"""The Orbit API: what its answers look like and how they are fetched."""
