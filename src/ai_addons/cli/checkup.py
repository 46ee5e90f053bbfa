"""What `ai-addons check` finds out: the set-up, its gaps, and what each feature costs and earns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

from ai_addons.billing.fx.sources import STATIC
from ai_addons.billing.margin import loaded_margin
from ai_addons.catalog import BUILT_IN
from ai_addons.errors import AddOnsError, StoreUnavailable
from ai_addons.llm.providers import find_key, key_variables, split_route, title_of
from ai_addons.money import ghs
from ai_addons.wiring import OFFLINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.addons import AddOns
    from ai_addons.catalog import FeatureSpec

_TARGET: Final = 0.90
"""Margin that every built-in feature should keep."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend (error) or to know (warning)."""

    level: Literal["error", "warning"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCheck:
    """One feature on sale.

    Attributes:
        key: Feature key.
        credits: Price.
        route: Models in order.
        cost_ghs: Provider cost of a typical call in cedis, None if its size is not known.
        margin: What is left of the revenue, as a percentage, None likewise.
    """

    key: str
    credits: str
    route: tuple[str, ...]
    cost_ghs: str | None
    margin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """All that was found out."""

    ok: bool
    parts: tuple[tuple[str, str], ...]
    features: tuple[FeatureCheck, ...]
    findings: tuple[Finding, ...]


def examine_setup(addons: AddOns) -> Checkup:
    """Look at everything that can be looked at without asking a model or charging anybody."""
    features, findings = list[FeatureCheck](), list[Finding]()
    routes: dict[str, None] = {}
    for spec in addons.features():
        try:
            route = addons.route(spec)
            features.append(_feature(addons, spec, route))
        except AddOnsError as error:
            findings.append(Finding("error", str(error)))
        else:
            for business in (None, *addons.settings.businesses):
                routes |= dict.fromkeys(addons.route(spec, business=business))
    findings += _model_findings(addons, tuple(routes))
    findings += _privacy_findings(addons)
    findings += _store_findings(addons)
    findings += _rate_findings(addons)
    findings += _secret_findings(addons)
    findings += _loss_findings(features)
    findings += _unknown_features(addons)
    findings = list(dict.fromkeys(findings))
    return Checkup(
        ok=not any(finding.level == "error" for finding in findings),
        parts=tuple(_parts(addons)),
        features=tuple(features),
        findings=tuple(findings),
    )


def _parts(addons: AddOns) -> Iterator[tuple[str, str]]:
    settings = addons.settings
    yield "store", addons.store_name
    yield "policy", addons.policy.name
    for tier in ("small", "large"):
        try:
            yield f"{tier} models", ", ".join(addons.tier(tier))
        except AddOnsError:
            yield f"{tier} models", "none configured"
    yield "answer cache", settings.cache.backend
    yield "privacy", f"declared fields, and {', '.join(settings.privacy.recognizers)} in free text"
    yield "exchange rate", _told_rate(addons)
    try:
        yield "secret", addons.secret_name
    except AddOnsError:
        yield "secret", "none that can be used"


def _told_rate(addons: AddOns) -> str:
    try:
        rate = addons.rates.view().rate
    except AddOnsError:
        return f"unknown; from {', '.join(addons.settings.fx.sources)}"
    return f"GHS {rate.rate:f} per USD, as of {rate.as_of}, from {rate.source}, for showing cost only"


def _rate_findings(addons: AddOns) -> Iterator[Finding]:
    """An old rate where sources should give a new one; a static rate is old by choice."""
    try:
        view = addons.rates.view()
        addons.rates.check()
    except StoreUnavailable:
        # Said already, by those who look after the books.
        return
    except AddOnsError as error:
        yield Finding("error", str(error))
        return
    if view.old and set(view.sources) != {STATIC}:
        yield Finding(
            "warning",
            f"The exchange rate from {view.rate.source} is {view.age_days} days old, so cost in cedis may be wrong. "
            f"Run `ai-addons rates refresh`.",
        )
    for rate, fault in view.waiting:
        yield Finding(
            "warning",
            f"The rate {rate.rate:f} from {rate.source} was refused: {fault}. If it is right, run "
            f"`ai-addons rates confirm {rate.rate:f}`.",
        )


def _feature(addons: AddOns, spec: FeatureSpec, route: tuple[str, ...]) -> FeatureCheck:
    price, micro = addons.prices.listing(spec).credits, addons.expected_cost(spec)
    cost = margin = None
    if micro is not None:
        left = loaded_margin(price, micro)
        cost = f"{ghs(micro):.6f}"
        margin = None if left is None else f"{left:.1%}"
    return FeatureCheck(key=spec.key, credits=price.short, route=route, cost_ghs=cost, margin=margin)


def _model_findings(addons: AddOns, routes: tuple[str, ...]) -> Iterator[Finding]:
    for route in routes:
        provider, _ = split_route(route)
        settings = addons.settings.providers.get(provider)
        if route == OFFLINE:
            yield Finding(
                "warning",
                "No model is configured and no provider key is set, so the offline model answers with samples: good "
                "for a demo and for tests, not for sale. Set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY.",
            )
        elif find_key(provider, settings, addons.environ) is None and (settings is None or settings.api_base is None):
            yield Finding(
                "error",
                f"{route} needs a key of {title_of(provider)}. Nothing is charged until it works. "
                f"Set {key_variables(provider)[0]}, or providers.{provider}.api_key in the settings.",
            )
    today = datetime.now(UTC).date()
    for finding in addons.model_prices.findings((route for route in routes if route != OFFLINE), today):
        yield Finding("warning", finding.message)


def _privacy_findings(addons: AddOns) -> Iterator[Finding]:
    """Whether everything that replaces personal data is there."""
    try:
        addons.mask("")
    except AddOnsError as error:
        yield Finding("error", str(error))


def _store_findings(addons: AddOns) -> Iterator[Finding]:
    try:
        report = addons.doctor()
    except AddOnsError as error:
        yield Finding("error", str(error))
        return
    if not report.ok:
        yield Finding("error", f"The books have {len(report.findings)} faults; run `ai-addons doctor`.")


def _secret_findings(addons: AddOns) -> Iterator[Finding]:
    try:
        _ = addons.secret_name
    except AddOnsError as error:
        yield Finding("error", str(error))


def _loss_findings(features: list[FeatureCheck]) -> Iterator[Finding]:
    for feature in features:
        if feature.margin is not None and float(feature.margin.rstrip("%")) < _TARGET * 100:
            yield Finding(
                "warning",
                f"{feature.key} keeps {feature.margin} of a credit at GHS 0.50; built-in features should keep 90 %. "
                f"Choose a cheaper model or raise prices.features.{feature.key}.",
            )


def _unknown_features(addons: AddOns) -> Iterator[Finding]:
    """A setting for a feature that nobody declares changes nothing; that is worth a word."""
    known = [spec.key for spec in addons.all_features()]
    own = [key for business in addons.settings.businesses.values() for key in business.features]
    named = dict.fromkeys([*addons.settings.features, *addons.settings.prices.features, *own])
    for key in named:
        if key not in known and key not in BUILT_IN:
            close = get_close_matches(key, [*known, *BUILT_IN], n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            yield Finding(
                "warning",
                f"The settings name the feature {key!r}, which is not known{hint}. They change nothing for it. "
                f"Correct the key, or name the feature's module with --module.",
            )
