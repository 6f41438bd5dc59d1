"""`python -m adapters.mt5.server`, as it was called in 0.1."""

from core.renamed import run

if __name__ == "__main__":
    run("adapters.mt5.server")
