"""Plays the scenarios of interop/ with real client libraries; see ../README.md."""
