"""What the results page says of figures that are too good: table and words, both from figures."""

from collections.abc import Sequence

from backtest.results.cells import plain, table
from backtest.results.findings import FeedResult
from backtest.results.leak import SUSPICIOUS, Finding
from backtest.results.ticks import Figures

_QUESTIONS = """\
A direction AUC above 0.60 on so short a horizon is taken for a leak until disproved: of
the ensemble, of a member, or in a single fold. Where a feed has none, its highest figure was asked
the same, so that the rule is not all that stands between a leak and this page.

- **Turned answers**: the leanings against the answers of another time of the same span (all rows
  turned by a block and more); what these reach, chance reaches.
- **Older rows**: the leaning of so many seconds before. A look at the next tick dies with them.
- **Best single feature**: its AUC without any training, the best of all of them.
- **One spread**: share of rows with the most frequent spread. Near 100 % the ask is made up,
  unless that spread is the smallest step of the price (marked *one step*).
"""


def explanations(feeds: Sequence[FeedResult]) -> str:
    """The table of all that was asked, and words for what was above the limit."""
    examined = [(f.figures, finding) for f in feeds if f.figures for finding in f.findings]
    explained = [
        _explanation(f, figures) for figures, f in examined if f.auc.value > SUSPICIOUS
    ] or [f"\n**No direction AUC was above {SUSPICIOUS:.2f}**, of any feed, member or fold."]
    return "\n".join([_QUESTIONS, _table([finding for _, finding in examined]), *explained])


def _table(rows: Sequence[Finding]) -> str:
    head = ("feed", "of", "AUC", "moved rows in blocks", "turned answers, 95 %",
            "1, 5, 10, 30 s older", "best single feature", "one spread")  # fmt: skip
    return table(
        head,
        (
            (f.feed, f.what, plain(f.auc), f"{f.moved:,} in {f.blocks}",
             f"{f.chance[0]:.3f} to {f.chance[1]:.3f}",
             " ".join(f"{v:.3f}" for v in f.lagged.values()),
             f"`{f.best_feature}` {plain(f.best_auc)}",
             f"{f.one_spread:.0%}" + ", one step" * f.one_step)
            for f in rows
        ),
    )  # fmt: skip


def _explanation(f: Finding, figures: Figures) -> str:
    """What the four answers come to."""
    sentences = [f"\n**{f.feed}, {f.what}: {f.auc.value:.3f}.**"]
    if not f.beyond_chance:
        sentences.append(_chance(f))
    else:
        sentences += ["Beyond what turned answers give.", _older(f), _without_training(f)]
    if "fold" in f.what:
        sentences.append(_lasting(figures))
    if f.made_up:
        sentences.append(_made_up(f))
    return " ".join(filter(None, sentences))


def _chance(f: Finding) -> str:
    """Why it is not distinguishable from luck."""
    if f.auc.value > f.chance[1]:
        why = f"its interval, {f.auc.low:.3f} to {f.auc.high:.3f}, holds a half"
    else:
        why = f"the answers of another time of the same span reach {f.chance[1]:.3f}"
    return (
        f"Not distinguishable from chance: {why}, and the {f.moved:,} rows that moved lie in"
        f" {f.blocks} blocks."
    )


def _without_training(f: Finding) -> str:
    if f.best_auc.value <= f.auc.value - 0.03:
        best = f"`{f.best_feature}`, gives {f.best_auc.value:.3f}"
        return f"No single feature explains it: the best, {best}."
    return (
        f"`{f.best_feature}` alone, with no training, gives {f.best_auc.value:.3f}: the effect is"
        " in these quotes, not in how training and test were divided."
    )


def _lasting(figures: Figures) -> str:
    """A fold beside the others."""
    folds = " ".join(f"{value:.3f}" for value in figures.auc_folds)
    others = sum(value > SUSPICIOUS for value in figures.auc_folds)
    lasted = "" if others > 1 else "No other fold reaches it: "
    return f"{lasted or 'Fold by fold '}{folds}, all together {plain(figures.auc)}."


def _older(f: Finding) -> str:
    kept = (f.lagged[5] - 0.5) / max(f.auc.value - 0.5, 1e-9)
    if kept > 0.5:
        return (
            f"With a row five seconds older it is still {f.lagged[5]:.3f}, so it is no look at the"
            " next tick."
        )
    return (
        f"With a row five seconds older only {f.lagged[5]:.3f} is left: it lives on the newest"
        " quotes, as a leak, a bounce between quotes, or a lag of the feed would."
    )


def _made_up(f: Finding) -> str:
    """What a constant spread means."""
    sentence = f"{f.one_spread:.0%} of its rows have one and the same spread: the ask is made up."
    if not f.best_feature.endswith("spread_bp"):
        return sentence + " Its mid is not a price that anybody quoted."
    way = "come back" if f.best_feature == "spread_bp" else "gone on"
    return sentence + (
        " A constant spread in basis points of the price is nothing but the price turned over, so"
        f" `spread_bp` tells how high the price stands. In these blocks a price"
        f" that stood high or low has mostly {way}; that can be learned from the few swings of one"
        " day, and another day has other swings. **So the figure is one stretch's level of a price"
        " that nobody quoted: no look into the future, and no skill either.**"
    )
