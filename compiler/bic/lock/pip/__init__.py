"""What `pip` steps install: the exact closure of wheels for a platform, which need not run here."""
