-- How a clock was measured, and whether what it was held to claims to be UTC. Nothing measured before this.
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS method LowCardinality(String);
ALTER TABLE clock_sync COMMENT COLUMN IF EXISTS method 'chrony, kernel, ntp, or ticks: the stamps of a broker';
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS traceable Bool;
ALTER TABLE clock_sync COMMENT COLUMN IF EXISTS traceable 'Whether the reference claims to be UTC; a broker does not';
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS synchronised Bool;
ALTER TABLE clock_sync COMMENT COLUMN IF EXISTS synchronised 'Whether the reference says that it is synchronised itself';
ALTER TABLE clock_sync ADD COLUMN IF NOT EXISTS detail String;
ALTER TABLE clock_sync COMMENT COLUMN IF EXISTS detail 'What else was said';
