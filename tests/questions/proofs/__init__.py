"""Proofs that the snippets of code items have the fault they are said to have, one module per bank file, one function per item."""

from typing import Any


def run(source: str, **names: object) -> dict[str, Any]:
    """Run a snippet in a fresh namespace that holds `names`, and give the namespace back."""
    namespace = dict(names)
    exec(source, namespace)
    return namespace
