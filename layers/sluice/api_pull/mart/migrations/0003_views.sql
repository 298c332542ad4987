CREATE OR REPLACE VIEW tracks AS
SELECT r.id, r.name, r.artist, r.songwriters, r.duration, r.genres, r.album, r.created_at, r.updated_at
FROM current_loads AS c JOIN tracks_by_load AS r ON r.load_id = c.load_id
WHERE c.endpoint = 'tracks';

CREATE OR REPLACE VIEW users AS
SELECT r.id, r.first_name, r.last_name, r.email, r.gender, r.favorite_genres, r.created_at, r.updated_at
FROM current_loads AS c JOIN users_by_load AS r ON r.load_id = c.load_id
WHERE c.endpoint = 'users';

-- Where the listens are of an earlier day than users or tracks, those whose user or track has gone are not shown.
CREATE OR REPLACE VIEW listens AS
SELECT r.user_id, r.position, r.track_id, r.created_at, r.updated_at
FROM current_loads AS c
JOIN listens_by_load AS r ON r.load_id = c.load_id
JOIN users AS u ON u.id = r.user_id
JOIN tracks AS t ON t.id = r.track_id
WHERE c.endpoint = 'listen_history';

CREATE OR REPLACE VIEW snapshots AS
SELECT c.endpoint, l.snapshot_date, l.published_at, coalesce(sum(p.rows), 0)::bigint AS rows
FROM current_loads AS c
JOIN loads AS l ON l.id = c.load_id
LEFT JOIN load_parts AS p ON p.load_id = c.load_id
GROUP BY c.endpoint, l.snapshot_date, l.published_at;
