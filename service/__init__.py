"""The learning worker: two texts in, a better style profile out. See README.md in this folder."""
