"""Closures of Debian packages, as the host's apt resolves them on a base for any architecture."""
