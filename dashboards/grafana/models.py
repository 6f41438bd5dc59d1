"""Models: who predicts, how well, and whether its world still looks like its training."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board, mark

_PERCENT = style.unit("percentunit", 1)


def build() -> dashboard.Dashboard:
    """The board."""
    made = board(
        "tickhouse-models",
        "Tickhouse: models",
        "Hit rate, confidence, calibration, champion against challenger.",
        ("source", "symbol", "model"),
    ).annotation(mark("Halts", "trading/halts_mark", style.RED))
    for panel in (*_judged(), *_said()):
        made = made.with_panel(panel)
    return made


def _judged() -> list[Panel]:
    # Who predicts, and how it went.
    return [
        style.rows("Registered models", "models/table", "The champion predicts live.")
        .override_by_name("status", style.in_words({"champion": style.GREEN, "refused": style.RED}))
        .height(7)
        .span(24),
        style.rows(
            "Judged against what came",
            "models/log_loss",
            "Per model and symbol over the span's days; built daily by dbt.",
        )
        .override_by_regexp("mean_accuracy|hit_rate|came_up|said_up", _PERCENT)
        .override_by_name("mean_log_loss", style.unit("none", 4))
        .height(8)
        .span(14),
        style.lines(
            "Hit rate by day",
            "models/hit_rate",
            "percentunit",
            "Share of said moves that came, and of all classes right.",
        )
        .height(8)
        .span(10),
    ]


def _said() -> list[Panel]:
    # What is said, and how often.
    return [
        style.lines("Confidence", "models/confidence", "percentunit", "Mean in each interval.")
        .height(8)
        .span(12),
        style.bars(
            "Probabilities of up",
            "models/distribution",
            "none",
            "How often each was said: a pile at one value says little.",
        )
        .height(8)
        .span(12),
        style.lines("Predictions per second", "models/rate", "none", "Zero means nothing predicts.")
        .height(7)
        .span(12),
        style.rows("Signals by strategy", "models/signal_outcome", "In the span.")
        .override_by_name("mean_confidence", _PERCENT)
        .height(7)
        .span(12),
    ]
