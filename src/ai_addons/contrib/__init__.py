"""Adapters to what a host already runs; each is loaded only when it is named."""
