"""The digest: what a day, a week or a month of a stage was like, as figures, as a page and as a short text."""
