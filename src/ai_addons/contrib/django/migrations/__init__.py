"""Brings our tables into a database of Django's."""
