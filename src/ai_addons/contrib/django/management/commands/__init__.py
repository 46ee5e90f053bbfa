"""One command: all of ours."""
