"""Reports from a results folder: a table with intervals, a sentence for each comparison, figures.

Everything is read from the folder's own files, so a report can be written on another machine and years later.
"""
