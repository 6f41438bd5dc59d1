"""The broker's files are fetched by Maven and run only if they are what they must be."""

import pytest

from tests.kafka import jars


def test_without_java_the_reason_names_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(jars.NoKafkaError, match=r"java.*scripts/system-packages"):
        jars.classpath()


def test_a_changed_missing_or_strange_file_is_named(monkeypatch, tmp_path):
    (tmp_path / "jars.sha256").write_text(f"{'0' * 64}  a.jar\n{'1' * 64}  b.jar\n")
    monkeypatch.setattr(jars, "_HERE", tmp_path)
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "a.jar").write_bytes(b"changed")
    (folder / "c.jar").write_bytes(b"strange")
    with pytest.raises(jars.NoKafkaError, match=r"a\.jar, b\.jar, c\.jar"):
        jars._check(folder)
