"""Tiny models that real engines load: random weights, a real tokenizer, the same bytes on every run."""

from e2e.models.build import MODELS, build

__all__ = ["MODELS", "build"]
