"""A client of OpenAI's API that tells when each piece of an answer came; for the commands that measure a model."""
