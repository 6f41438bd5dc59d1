-- What a transaction report says of an account that is traded for a client: whose branch serves it, and whether the
-- firm decides (Delegated Regulation 2017/590, fields 8, 12, 17, 21 and 37).
ALTER TABLE reference_account
ADD COLUMN IF NOT EXISTS branch_country LowCardinality(String) DEFAULT ''
COMMENT 'ISO 3166 of the branch that serves the client; empty: the executing party has none' AFTER capacity;

ALTER TABLE reference_account
ADD COLUMN IF NOT EXISTS mandate Bool DEFAULT false
COMMENT 'Whether the firm decides for the client, at its discretion' AFTER branch_country;
