"""`python -m reports.watch`, as it was called in 0.1."""

from core.renamed import run

if __name__ == "__main__":
    run("reports.watch")
