-- Every signed entry of the home's chain of controls, each once. Append only, as audit_event: what it says can be
-- checked against the chain, line by line.
CREATE TABLE IF NOT EXISTS control_version (
    number UInt64 COMMENT 'Number within the chain, from 1 without gaps: what limits_version names behind its #',
    kind LowCardinality(String) COMMENT 'What was signed: limits, override, resume, strategy, person, approve, ...',
    subject String COMMENT 'Which strategy, model, server, person or table; empty when there is one',
    base UInt64 COMMENT 'Version it would replace, 0 for none; of approve and withdraw the entry they are about',
    raises Bool COMMENT 'Whether it raises risk against that version, as the signer was told',
    actor LowCardinality(String) COMMENT 'Who signed',
    reason String COMMENT 'Why, in the words of the signer',
    changes String COMMENT 'Old and new of each change, a line each, as the signer was shown them',
    ts_event DateTime64(6, 'UTC') COMMENT 'When it was signed',
    ts_until DateTime64(6, 'UTC') COMMENT 'When it ends; the epoch for what only another replaces',
    content_hash String COMMENT 'SHA-256 of what was signed',
    signature String COMMENT 'Ed25519 over the entry, hex',
    previous_hash String COMMENT 'SHA-256 of the line before in the chain',
    hash String COMMENT 'SHA-256 of its line'
)
ENGINE = {engine:MergeTree}
ORDER BY number
SETTINGS non_replicated_deduplication_window = 10000;
