-- Who executes on a party's behalf and is no broker: under the regime UK (EMIR fields 1.21 and 3.30).
ALTER TABLE reference_emir_account ADD COLUMN IF NOT EXISTS execution_agent LowCardinality(String) COMMENT 'Who executes for it, a party' -- noqa: PRS
;
