-- How a clock was measured, and whether what it was held to claims to be UTC.
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS method LowCardinality(String) DEFAULT 'chrony' COMMENT 'chrony, kernel, ntp, or ticks: the stamps of a broker';
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS traceable Bool DEFAULT true COMMENT 'Whether the reference claims to be UTC; a broker does not';
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS synchronised Bool DEFAULT true COMMENT 'Whether the reference says that it is synchronised itself';
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS detail String COMMENT 'What else was said';
