"""The bundled command line, `pytheas`: kubectl's commands, flags and messages on a start-up budget of 0.3 seconds.

Every command is one file under `commands/`, imported only when it is asked for. The objects stay plain dicts and the
transport is the standard library's, because importing an async HTTP stack costs more than the whole budget.
"""
