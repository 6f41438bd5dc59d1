"""Models: who predicts, how well, and whether its world still looks like its training."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import VisibilityMode

from dashboards.grafana import style
from dashboards.grafana.board import Panel, board

_PERCENT = style.unit("percentunit", 1)


def build() -> dashboard.Dashboard:
    """The board."""
    built = board(
        "tickhouse-models",
        "Tickhouse: models",
        "Hit rate, calibration, drift, champion against challenger, feature health.",
        ("source", "symbol", "model"),
    )
    for panel in (*_performance(), *_rivals(), *_drift(), *_predictions()):
        built = built.with_panel(panel)
    return built


def _performance() -> list[Panel]:
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


def _rivals() -> list[Panel]:
    # The challenger beside the champion, as `tickhouse models watch` judged them.
    return [
        style.rows(
            "Champion and challenger",
            "models/quality",
            "The newest judgement of each and of its members; skill above 0 beats class shares.",
        )
        .override_by_regexp("hit_rate|vetoed", _PERCENT)
        .override_by_name("skill", [*style.unit("percentunit", 2), *style.by_sign()])
        .override_by_name("calibration_error", style.unit("none", 3))
        .override_by_name("net_bp", [*style.unit("none", 1), *style.by_sign()])
        .height(8)
        .span(14),
        style.lines(
            "Skill", "models/skill", "percentunit", "1 less Brier over that of the class shares."
        )
        .show_points(VisibilityMode.ALWAYS)
        .height(8)
        .span(10),
        style.lines(
            "Calibration error",
            "models/calibration",
            "none",
            "Mean distance of said and true share of moves; 0 means what it says.",
        )
        .show_points(VisibilityMode.ALWAYS)
        .height(8)
        .span(8),
        style.lines(
            "Challenger's distance from the champion",
            "models/shadow",
            "none",
            "On the same rows of $symbol, and how often both lean the same way.",
        )
        .height(8)
        .span(8),
        style.rows("Model events", "models/events", "In use, missing or silent members, drift.")
        .override_by_name(
            "kind",
            style.in_words({"in use": style.GREEN, "missing": style.RED, "drift": style.AMBER}),
        )
        .height(8)
        .span(8),
    ]


def _drift() -> list[Panel]:
    # Whether what models see is still what they were trained on.
    return [
        style.lines(
            "Drift",
            "models/drift",
            "none",
            "Furthest population stability index (above 0.25 is a change), columns beyond it.",
        )
        .show_points(VisibilityMode.ALWAYS)
        .height(9)
        .span(10),
        style.rows(
            "Feature health",
            "models/feature_health",
            "Newest comparison with the training part; the furthest first.",
        )
        .override_by_name(
            "psi",
            [
                *style.unit("none", 3),
                *style.coloured((None, style.GREEN), (0.1, style.AMBER), (0.25, style.RED)),
            ],
        )
        .override_by_name("ks", style.unit("none", 3))
        .override_by_regexp("missing.*", _PERCENT)
        .height(9)
        .span(14),
    ]


def _predictions() -> list[Panel]:
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
