"""Gates: is this model good enough, and is it worse than the one we have?

`expression` reads `--fail-if`, `config` the gates of a file; `judge` holds figures against
limits, and `runner` evaluates what the gates of a file need, each thing once.
"""
