"""What both example shops share: their invented records, people, pages and the eight buttons.

A shop of your own has all of this already: rows in its database, a login, pages. What is worth a look here is
`pos.buttons`, where rows become what a feature takes, and the tags ``<ai-…>`` in ``templates``.
"""
