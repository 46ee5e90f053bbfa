"""The list of all commands, by what a person wants to do."""

from __future__ import annotations

from typing import Final

from ai_addons.cli.lazy import Entry, Section

SECTIONS: Final = (
    Section(
        "Begin",
        (
            Entry("demo", "demo_command:demo", "See it work on a sample shop, or on yours."),
            Entry("init", "init:init", "Write settings, a first feature and its test."),
            Entry("check", "check:check", "See what is configured and what is missing."),
            Entry("prices", "prices:prices", "See what is on sale."),
            Entry("mask", "mask:mask", "See what would be sent of a text."),
            Entry("completion", "completion:completion", "Let your shell complete the commands."),
        ),
    ),
    Section(
        "One business",
        (
            Entry("balance", "books:balance", "See its credits."),
            Entry("ledger", "books:ledger", "See every booking, and check the chain."),
            Entry("usage", "books:usage", "See what it used and what that cost you."),
            Entry("statement", "books:statement", "See what came in and went out."),
            Entry("trial", "trial:trial", "Give it the trial credits."),
            Entry("grant", "operate:grant", "Give it credits."),
            Entry("adjust", "operate:adjust", "Give or take credits, with a reason."),
            Entry("reverse", "operate:reverse", "Undo one booking by another."),
            Entry("addon", "addon:addon", "Its monthly add-on."),
            Entry("policy", "operate:policy", "How it buys credits."),
            Entry("erase", "operate:erase", "Forget who made its calls."),
        ),
    ),
    Section(
        "Stop and limit",
        (
            Entry("pause", "operate:pause", "Pull the kill switch."),
            Entry("unpause", "operate:unpause", "Release the kill switch."),
            Entry("paused", "operate:paused", "See which kill switches are pulled."),
            Entry("limit", "operate:limit", "Spending limits."),
        ),
    ),
    Section(
        "Payments",
        (
            Entry("orders", "orders:orders", "Orders, receipts, refunds, top-ups."),
            Entry("payments", "watch:payments", "See what became of payments."),
            Entry("reconcile", "reconcile:reconcile", "Compare with gateways, or with a bill."),
        ),
    ),
    Section(
        "Figures for operators",
        (
            Entry("status", "watch:status", "See what needs somebody now."),
            Entry("calls", "watch:calls", "See times, errors and cache hits."),
            Entry("margins", "margins:margins", "See what each feature earned."),
            Entry("kpis", "figures:kpis", "See each KPI beside its target."),
            Entry("feedback", "feedback:feedback", "See how users rate each feature."),
            Entry("spending", "books:spending", "See the cost beside the budget."),
            Entry("forecast", "figures:forecast", "See the cost by the end of the month."),
            Entry("project", "project:project_command", "See what subscribers would bring."),
        ),
    ),
    Section(
        "Jobs",
        (
            Entry("sweep", "books:sweep", "Do what is due; run it every few minutes."),
            Entry("renew", "orders:renew", "Collect renewals; run it every hour."),
            Entry("deliver", "outbox:deliver", "Send waiting events to your webhook."),
            Entry("retain", "keeping:retain", "Take old details away; run it daily."),
        ),
    ),
    Section(
        "Books and upkeep",
        (
            Entry("doctor", "books:doctor", "Check that all books agree."),
            Entry("export", "keeping:export", "Write a table to a file."),
            Entry("audit", "keeping:audit", "See what operators did."),
            Entry("cache", "cache:cache", "Stored answers."),
            Entry("rates", "rates:rates", "The exchange rate of costs."),
            Entry("drift", "drift:drift", "Compare model prices with LiteLLM's."),
            Entry("db", "db:db", "The tables of the store."),
        ),
    ),
    Section(
        "Serve and connect",
        (
            Entry("serve", "serve:serve", "Serve the endpoints and pages."),
            Entry("openapi", "openapi:openapi", "Print the endpoints as OpenAPI."),
            Entry("fake-gateway", "fake_gateway:fake_gateway", "Try payments; no money moves."),
            Entry("webhook-secret", "outbox:webhook_secret", "Make a secret to sign events with."),
        ),
    ),
)
