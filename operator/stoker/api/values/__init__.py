"""Texts of the API that are real types in the code: each parses once, at the edge, or says what to write instead."""
