"""The doctor: small probes of what in this machine stands in a build's way, and the setting for it.

One module a section of the notes on rootless builds. A probe is a function from a `Subject` (the machine) to
a `Finding`, or None where it does not apply. `examine.examine` runs them in order.
"""
