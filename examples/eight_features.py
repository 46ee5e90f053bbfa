"""Each of the eight built-in features in a few lines, with its price.

Run ``python examples/eight_features.py``. Without a key the offline model answers with samples.
`ai-addons demo --all` feeds them from the CSV files of a shop; here three get their input by hand, as a form
would give it, and the others an invented shop of sixty customers, as rows of a database would.
"""

from datetime import date
from decimal import Decimal

from ai_addons import AddOns, Settings, bill_to, install, receipts
from ai_addons.features.collection_analysis import collection_analysis
from ai_addons.features.collection_analysis.example import example as bills
from ai_addons.features.collection_message import CollectionRequest, collection_message
from ai_addons.features.credit_assessment import CreditApplication, credit_assessment
from ai_addons.features.customer_insight import customer_insight
from ai_addons.features.customer_insight.example import example as question
from ai_addons.features.inventory_forecast import example as stock
from ai_addons.features.inventory_forecast import inventory_forecast
from ai_addons.features.portfolio_dashboard import portfolio_dashboard
from ai_addons.features.portfolio_dashboard.example import example as business
from ai_addons.features.product_description import Product, product_description
from ai_addons.features.report_summary import report_summary
from ai_addons.features.report_summary.example import example as month

TODAY = date(2026, 11, 20)
CUSTOMERS = 60

soap = Product(as_of=TODAY, name="Black Soap", category="beauty", attributes={"scent": "lime", "form": "bar"})
ama = CreditApplication(
    as_of=TODAY,
    requested_ghs=Decimal(3000),
    current_limit=Decimal(2500),
    exposure=Decimal(640),
    tenure_months=38,
    orders_12m=44,
    spend_12m=Decimal(21600),
    disputes_open=0,
    returned_payments_12m=0,
    monthly_purchases=(Decimal(1800),) * 12,
)
bill = CollectionRequest(
    as_of=TODAY,
    channel="sms",
    outstanding=Decimal(120),
    due_date=date(2026, 11, 12),
    relationship_months=14,
    contacts_last_7d=0,
    consent=True,
    opted_out=False,
    customer_name="Kofi Asante",
    shop_name="Adom Provisions",
    contact="030 255 0142",
)

install(addons := AddOns(Settings(store={"url": "sqlite://"}, cache={"backend": "memory"})))
addons.grant("biz_7", "20", source="adjustment", ref="welcome-1")
with bill_to("biz_7"), receipts() as paid:
    said = (
        product_description(soap).data.title,
        report_summary(month(CUSTOMERS)).data.headline,
        customer_insight(question(CUSTOMERS)).data.answer,
        credit_assessment(ama).data.summary,
        collection_analysis(bills(CUSTOMERS)).data.headline,
        collection_message(bill).data.message,
        inventory_forecast(stock(CUSTOMERS)).data.headline,
        portfolio_dashboard(business(CUSTOMERS)).data.headline,
    )
for words, receipt in zip(said, paid, strict=True):
    print(f"{receipt.feature}, {receipt.charged.short} credits: {words}")
print(f"{len(paid)} features, {addons.wallet('biz_7').available.short} of 20 credits left")
