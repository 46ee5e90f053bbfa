"""A paid feature of a host's own, from declaration to receipt: the call site that the README shows.

Run ``python examples/credit_opinion.py``. Without a key the offline model answers.
The books are kept in ``ai_addons.db`` in the working directory.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel

from ai_addons import AddOns, Pii, Prompt, bill_to, billed_feature, install


class CustomerFacts(BaseModel):
    name: Annotated[str, Pii.NAME]  # replaced before it leaves, restored in the answer
    on_time: int
    late: int


class CreditOpinion(BaseModel):
    reasons: list[str]
    customer_explanation: str


@billed_feature("credit_opinion", credits="3", tier="small", cache="6h")
def explain_credit(customer: CustomerFacts, asked: Decimal) -> Prompt[CreditOpinion]:
    """Explain to a shop owner why a customer may or may not get credit."""
    return Prompt(
        system="You are a careful credit analyst for a shop in Ghana.",
        user=f"Explain the decision on GHS {asked}.",
        data=customer,
    )


install(addons := AddOns())
addons.grant("biz_7", "25", source="adjustment", ref="welcome-1")
customer = CustomerFacts(name="Ama Mensah", on_time=11, late=1)
with bill_to("biz_7", user="u_1"):
    opinion, receipt = explain_credit.billed(customer, asked=Decimal(3000))
print(opinion.customer_explanation, "for", receipt.charged.short, "credits")
