-- The economic calendar, each version of each event with the time since when it was known; written by `tickhouse
-- calendar import` beside the home's calendar.json, which execution reads. A row is never changed: what moves, is
-- corrected or called off gets another.
CREATE TABLE IF NOT EXISTS calendar_event (
    source LowCardinality(String) COMMENT 'Whose calendar it is',
    event_id String COMMENT 'Name of the event at its source; without one, currency, name and day',
    ts_published DateTime64(6, 'UTC') COMMENT 'Since when this version was known',
    ts_event DateTime64(6, 'UTC') COMMENT 'When the event takes place, as this version says',
    currency LowCardinality(String) COMMENT 'ISO 4217; empty: it concerns every currency',
    importance LowCardinality(String) COMMENT 'none, low, medium or high',
    name LowCardinality(String) COMMENT 'What takes place',
    actual String COMMENT 'Figure as published; empty before it was',
    forecast String COMMENT 'Figure expected; empty without one',
    previous String COMMENT 'Figure of the time before; empty without one',
    is_cancelled Bool COMMENT 'This version calls the event off',
    publication LowCardinality(String) COMMENT 'How ts_published is known: stated, assumed or imported'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (source, event_id, ts_published)
SETTINGS non_replicated_deduplication_window = 10000;

-- The calendar as it was known at a moment, events called off left out:
-- SELECT * FROM calendar_event_as_of(moment = '2026-11-06 13:00:00') WHERE ts_event >= …
CREATE VIEW IF NOT EXISTS calendar_event_as_of AS
WITH known AS (
    SELECT
        source,
        event_id,
        max(ts_published) AS newest
    FROM calendar_event
    WHERE ts_published <= parseDateTime64BestEffort({moment:String}, 6, 'UTC')
    GROUP BY source, event_id
)

SELECT
    c.source AS source,
    c.event_id AS event_id,
    c.ts_published AS ts_published,
    c.ts_event AS ts_event,
    c.currency AS currency,
    c.importance AS importance,
    c.name AS name,
    c.actual AS actual,
    c.forecast AS forecast,
    c.previous AS previous,
    c.publication AS publication
FROM calendar_event AS c FINAL
INNER JOIN known
    ON
        c.source = known.source
        AND c.event_id = known.event_id
        AND c.ts_published = known.newest
WHERE NOT c.is_cancelled;
