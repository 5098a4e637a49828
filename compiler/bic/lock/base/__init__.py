"""What is known of a root file system without running anything of it."""
