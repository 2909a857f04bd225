"""One file a concept, each with a frozen EXPERIMENT. The registry finds them; nothing lists them."""
