"""The subcommands of `ctlab`, one a file; cli.py names them."""
