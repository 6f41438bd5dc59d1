-- Where a model comes from, beside how it did.
ALTER TABLE model
ADD COLUMN IF NOT EXISTS data_hash String COMMENT 'SHA-256 over the rows it was trained and judged on',
ADD COLUMN IF NOT EXISTS dataset String COMMENT 'Hash of what was asked for: query, run, span, sources, feature set',
ADD COLUMN IF NOT EXISTS members Array(String) COMMENT 'Members, in the order of the manifest',
ADD COLUMN IF NOT EXISTS environment String COMMENT 'JSON: versions of the packages it was made with';
