"""The revisions, oldest first. A revision that was released never changes."""
