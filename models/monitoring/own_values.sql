-- What a run served of one own feature within a span, under the set of features that a model learnt from.
SELECT value
FROM own_feature FINAL
WHERE
    run_id = {run_id:String}
    AND name = {name:String}
    AND feature_set_hash = {feature_set_hash:String}
    AND toUnixTimestamp64Micro(ts_event) >= {start_us:Int64}
    AND toUnixTimestamp64Micro(ts_event) < {end_us:Int64}
