"""A small point-of-sale system in Django, with the AI add-on in it: ``python examples/django_shop/manage.py demo``."""
