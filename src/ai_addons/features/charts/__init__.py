"""Pictures of results as SVG, and the same facts as text.

The text needs nothing; the picture needs the extra ``charts``.

>>> from decimal import Decimal
>>> chart = AgeingChart(title="Owed", unit="GHS", bars=[Bar("not due", Decimal(900)), Bar("1-30 days", Decimal(250))])
>>> print(as_text(chart))
Owed
not due: 900 GHS
1-30 days: 250 GHS
"""

from ai_addons.features.charts.drawing import as_svg
from ai_addons.features.charts.shapes import (
    AgeingChart,
    Band,
    Bar,
    Chart,
    ForecastChart,
    HealthChart,
    Point,
    Score,
    Status,
    as_text,
)

__all__ = [
    "AgeingChart",
    "Band",
    "Bar",
    "Chart",
    "ForecastChart",
    "HealthChart",
    "Point",
    "Score",
    "Status",
    "as_svg",
    "as_text",
]
