"""How a model did, as a person reads it: beside the baseline, and with the warning it needs."""

from datetime import UTC, datetime

from rich.console import Group
from rich.table import Table
from rich.text import Text

from models.serving.card import CLASSES, DataPart, Metrics, ModelCard
from models.training.evaluate import LEAK, LEAK_RULE

_ROWS = {
    "log_loss": "log loss (less is better)",
    "brier": "Brier score (less is better)",
    "accuracy": "accuracy",
    "auc_direction": "AUC of direction: up against down",
    "auc_down": "AUC of down against the rest",
    "auc_up": "AUC of up against the rest",
}


def model_report(card: ModelCard) -> Group:
    """The card as tables and sentences."""
    title = f"model {card.sha256[:12]} · {card.settings.horizon_s:g} s ahead"
    figures = Table("held-back rows", "model", "class shares alone", title=title)
    for name, text in _ROWS.items():
        figures.add_row(text, _figure(card.metrics, name), _figure(card.baseline, name))
    if card.direction_range is not None:
        low, high = card.direction_range
        text = "95 % of resampled blocks of time"
        figures.add_row(f"AUC of direction: {text}", f"{low:.3f} to {high:.3f}", "")
    lines = [
        f"trained on  {_part(card.train)}",
        f"held back   {_part(card.held_back)}",
        f"feeds       {', '.join(card.feeds)}",
        f"ONNX and trainer agree to {card.parity:.1g} on every held-back row.",
        LEAK_RULE,
    ]
    if card.simulated:
        lines.append("Trained on a simulated market: this model can never trade real money.")
    if card.direction_range is not None and card.direction_range[0] > LEAK and not card.simulated:
        lines.append(
            "LEAK? The direction AUC is above 0.60 beyond chance: look for it, write it down."
        )
    for name, reason in card.left_out.items():
        lines.append(f"without {name}: {reason}")
    parts = [figures, _members(card)]
    if card.folds:
        parts.append(_folds(card))
    return Group(*parts, Text("\n".join(lines)))


def _members(card: ModelCard) -> Table:
    """Each member alone, on the held-back rows."""
    title = f"members, agreeing by {card.agreement:.2f} on average"
    table = Table("", "weight", "log loss", "Brier", "direction AUC", "calibration", title=title)
    for member in card.members:
        auc = member.metrics.auc_direction
        table.add_row(
            member.name,
            f"{member.weight:.2f}",
            f"{member.metrics.log_loss:.4f}",
            f"{member.metrics.brier:.4f}",
            "" if auc is None else f"{auc:.3f}",
            f"{member.calibration_error:.3f}",
        )
    return table


def _folds(card: ModelCard) -> Table:
    """The purged walk-forward evaluation."""
    names = ("tested from", "rows", "log loss", "of shares", "Brier", "of shares", "direction AUC")
    table = Table(*names, title="purged walk-forward folds")
    for fold in card.folds:
        auc = fold.metrics.auc_direction
        table.add_row(
            _utc(fold.test.start_us),
            f"{fold.test.rows:,}",
            f"{fold.metrics.log_loss:.4f}",
            f"{fold.baseline.log_loss:.4f}",
            f"{fold.metrics.brier:.4f}",
            f"{fold.baseline.brier:.4f}",
            "" if auc is None else f"{auc:.3f}",
        )
    return table


def _figure(metrics: Metrics, name: str) -> str:
    value = getattr(metrics, name)
    return "a class is absent" if value is None else f"{value:.4f}"


def _part(part: DataPart) -> str:
    shares = ", ".join(
        f"{name} {share:.1%}" for name, share in zip(CLASSES, part.shares, strict=True)
    )
    return f"{part.rows:,} rows, {_utc(part.start_us)} to {_utc(part.end_us)} UTC ({shares})"


def _utc(time_us: int) -> str:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
