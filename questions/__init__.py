"""The subject matter: 24 interview questions as data files, with a schema, a loader and checks."""
