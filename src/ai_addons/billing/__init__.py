"""The money side: wallets, grants, holds and the ledger, over a SQL store.

Only `store` writes. Policies, packs, grants and the ledger's arithmetic are
pure: a bad policy cannot break an invariant.
"""
