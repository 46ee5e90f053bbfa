"""A payment gateway that moves no money, for a developer's machine, the demo and tests.

It speaks the protocol of Paystack over real HTTP and has pages for a person: the
checkout, the payer's phone, the gateway's operator. What real test modes never
show, it does: prompts that hang, codes, late payments, lost and repeated webhooks,
refunds that fail, disputes.
"""
