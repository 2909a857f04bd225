"""Lab: where a claim is tested by training networks on the spot."""

from sandbox.ui.lab import lab

lab()
