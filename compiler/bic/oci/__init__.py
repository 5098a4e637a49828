"""The vocabulary of images: OCI image-spec 1.1 and the names of the distribution specification.

Values are made by parsers that refuse bad input with `bic.errors.Malformed`; only `layout` touches a disk.
Import the modules themselves: this one stays empty so that a command line starts fast.
"""
