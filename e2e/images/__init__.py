"""Container images for the tests, built on this machine without a registry."""

from e2e.images.build import ImageArchive, build
from e2e.images.catalogue import IMAGES

__all__ = ["IMAGES", "ImageArchive", "build"]
