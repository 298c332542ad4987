"""HTTP for every pipeline: requests that end, answers that fit, retries, secrets that stay out of texts."""
