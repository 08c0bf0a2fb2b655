"""Notifications: what moved tonight, told to whom it concerns. One file per channel, listed in `registry`."""
