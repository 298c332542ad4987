"""Event files: from the upload in the source bucket to rows in the lake's tables."""
