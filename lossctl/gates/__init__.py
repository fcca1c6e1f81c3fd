"""Gates: is this model good enough, and is it worse than the one we have?

`expression` reads `--fail-if`. A file of gates is found and parsed by `file`, its values are of
the kinds that `keys` says, `config` makes each `gate` of them and `checks` looks at them together.
`runner` evaluates what the gates of a file need, each thing once, `judge` and `decide` hold what
was found against what must hold, and `accept` makes new baselines.
"""
