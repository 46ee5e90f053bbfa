"""Words for a whole shelf in one batch, with a bar on a terminal.

Run ``python examples/label_a_shelf.py``. Without a key the offline model answers.
The books are kept in ``ai_addons.db`` in the working directory.
"""

from ai_addons import AddOns, Prompt, bill_to, billed_feature, install

SHELF = ("Milk", "Bread", "Rice", "Yam", "Gari", "Palm oil")


@billed_feature("shelf_label", credits="0.5", cache=None)
def shelf_label(product: str) -> Prompt:
    """Write a shelf label."""
    return Prompt(user="Write a shelf label.", data={"product": product})


install(addons := AddOns())
addons.grant("biz_7", "25", source="adjustment", ref="welcome-1")
with bill_to("biz_7", user="u_1"):
    result = addons.batch([shelf_label.bind(product) for product in SHELF], progress=True)
for product, item in zip(SHELF, result, strict=True):
    print(f"{product}: {item.value if item.ok else item.error}")
print(f"{len(result) - result.failed} labels for {result.charged.short} credits")
