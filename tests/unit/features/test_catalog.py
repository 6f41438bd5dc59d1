from features.catalog import FEATURE_SET_HASH, FEATURES, KERNEL_VERSION, NAMES, feature_set_hash


def test_names_are_distinct_column_names() -> None:
    assert len(set(NAMES)) == len(NAMES) == 50
    assert all(name.isidentifier() and name == name.lower() for name in NAMES)


def test_every_field_of_the_catalogue_is_filled_in() -> None:
    assert all(all(feature) for feature in FEATURES)


def test_the_hash_covers_order_wording_and_kernel_version() -> None:
    reordered = (FEATURES[1], FEATURES[0], *FEATURES[2:])
    reworded = (FEATURES[0]._replace(definition="another"), *FEATURES[1:])
    hashes = {
        FEATURE_SET_HASH,
        feature_set_hash(reordered, KERNEL_VERSION),
        feature_set_hash(reworded, KERNEL_VERSION),
        feature_set_hash(FEATURES, KERNEL_VERSION + 1),
    }
    assert len(hashes) == 4
    assert len(FEATURE_SET_HASH) == 16
