"""The sandbox: small LSTMs trained on the spot, each run ending in a computed verdict."""
