"""bic, the base image compiler: TOML specs in, checked multi-arch OCI images out."""

__version__ = "0.1.0.dev0"

COMPATIBILITY = 1
"""Raised when the same operation is lowered to something that makes other bytes."""
