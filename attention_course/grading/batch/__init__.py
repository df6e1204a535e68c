"""Grades a whole class: a pool of workers, one writer, and a ledger of what need not run again."""
