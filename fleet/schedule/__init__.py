"""Ready units for whatever starts a command every night: one template per file, one registry, no machinery."""
