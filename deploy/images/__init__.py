"""Builds Salon's images: see docs/images.md."""
