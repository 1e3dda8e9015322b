"""The API: its values, its parsers, and what is generated from it."""
