"""The digest of a day, a week or a month of a stage: a page, a message and a JSON document."""
