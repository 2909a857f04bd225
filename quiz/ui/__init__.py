"""The quiz's pages, and the server that serves them."""
