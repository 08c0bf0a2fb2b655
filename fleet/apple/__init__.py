"""What is known of Apple's devices and systems: pure look-ups over bundled or refreshed data."""
