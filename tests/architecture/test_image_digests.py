"""Base images are pinned by digest, but for those whose tag moves while no registry was at hand."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "image-digests"))
# Their tags are of a series, so the digest is the registry's to say: `make image-digests`.
MISSING = {"python:3.12-slim", "clickhouse/clickhouse-server:26.9"}


def test_no_other_image_stands_there_by_tag_alone() -> None:
    texts = ((ROOT / name).read_text() for name in ("Dockerfile", "compose.yaml"))
    assert {image for text in texts for image in SCRIPT["missing"](text)} <= MISSING


def test_a_digest_is_written_behind_its_tag(tmp_path: Path) -> None:
    file, digest = tmp_path / "compose.yaml", "sha256:" + "a1" * 32
    file.write_text("a:\n  image: x/y:1.0\nb:\n  image: x/y:1.0.1\nc:\n  image: tickhouse:local\n")
    known = {"x/y:1.0": digest}
    SCRIPT["pin"].__globals__["digest_of"] = lambda image: known.get(image, "")
    assert SCRIPT["pin"](file) == ["x/y:1.0.1"]
    assert f"image: x/y:1.0@{digest}\n" in file.read_text()
    assert "image: x/y:1.0.1\n" in file.read_text()
