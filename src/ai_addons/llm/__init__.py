"""The model side: one narrow port, adapters behind it, retries, prices."""
