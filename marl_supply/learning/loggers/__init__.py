"""Who is told how a training goes, one file each, found by name; what a file needs is imported when it is used."""
