"""The operator's pages: templates, and what they are filled with."""
