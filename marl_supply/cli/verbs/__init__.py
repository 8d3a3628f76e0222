"""The verbs, one file each: ``HELP``, ``describe(parser)`` and ``execute(options)``, which imports what is heavy."""
