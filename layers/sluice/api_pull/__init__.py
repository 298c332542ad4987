"""The application's API, pulled every day: tracks, users and listens, checked, into the lake and the mart."""
