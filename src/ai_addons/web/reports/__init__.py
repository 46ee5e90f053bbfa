"""What operators are shown: the same figures as JSON, on a page and by `ai-addons status`."""
