"""Whether an incident is major: each criterion alone, and what two of them make."""

import msgspec
import pytest

from surveillance.incidents.classes import Impact, classify

#: Each threshold of article 9, a hair beyond it and at it.
BEYOND: tuple[tuple[dict[str, float], dict[str, float]], ...] = (
    ({"clients_share": 0.11}, {"clients_share": 0.1}), ({"clients": 100_001}, {"clients": 100_000}),
    ({"counterparts_share": 0.31}, {"counterparts_share": 0.3}),
    ({"transactions_share": 0.11}, {"transactions_share": 0.1}),
    ({"relevant_client": True}, {}), ({"reputation": True}, {}),
    ({"duration_h": 24.1}, {"duration_h": 24.0}), ({"downtime_h": 2.1}, {"downtime_h": 2.0}),
    ({"states": 2}, {"states": 1}), ({"data_loss": True}, {}),
    ({"costs_eur": 100_000.01}, {"costs_eur": 100_000.0}),
)  # fmt: skip


@pytest.mark.parametrize(("beyond", "at"), BEYOND)
def test_a_threshold_is_met_beyond_it_and_not_at_it(
    beyond: dict[str, float], at: dict[str, float]
) -> None:
    assert len(classify(Impact(**beyond)).basis) == 1  # type: ignore[arg-type]
    assert classify(Impact(**at)).basis == ()  # type: ignore[arg-type]
    alone = classify(Impact(critical_service=True, **beyond))  # type: ignore[arg-type]
    assert not alone.major


def test_a_critical_service_and_two_thresholds_are_major() -> None:
    two = Impact(downtime_h=3.0, costs_eur=2e5)
    assert not classify(two).major
    result = classify(msgspec.structs.replace(two, critical_service=True))
    assert result.major
    assert result.basis == (
        "critical service (6)", "duration or downtime (9(3))", "costs (9(6))",
    )  # fmt: skip
    same = Impact(critical_service=True, downtime_h=3.0, duration_h=30.0)  # one threshold twice
    assert not classify(same).major


def test_unauthorised_access_is_major_by_itself() -> None:
    assert classify(Impact(unauthorised_access=True)).major


@pytest.mark.parametrize("wrong", [{"clients_share": 1.5}, {"costs_eur": -1.0}, {"states": -2}])
def test_what_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(wrong))):
        msgspec.convert(wrong, Impact)
