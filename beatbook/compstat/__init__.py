"""CompStat: the windows, the counts in them, and how sure one can be of a change."""
