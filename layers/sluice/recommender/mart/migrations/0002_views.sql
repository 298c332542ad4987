CREATE OR REPLACE VIEW models AS
SELECT i.model_version, i.snapshot_date, i.published_at, i.ndcg_at_10, i.popularity_ndcg_at_10
FROM current_inference AS c JOIN inferences AS i ON i.id = c.inference_id;

-- Tracks that went since, and those heard since, are not shown.
CREATE OR REPLACE VIEW recommendations AS
SELECT r.user_id, r.rank, r.track_id, r.score, r.popular, i.model_version, i.snapshot_date
FROM current_inference AS c
JOIN inferences AS i ON i.id = c.inference_id
JOIN recommendations_by_inference AS r ON r.inference_id = c.inference_id
JOIN tracks AS t ON t.id = r.track_id
WHERE NOT EXISTS (SELECT FROM listens AS l WHERE l.user_id = r.user_id AND l.track_id = r.track_id);

CREATE OR REPLACE VIEW similar_tracks AS
SELECT s.track_id, s.rank, s.other_id, s.score, i.model_version
FROM current_inference AS c
JOIN inferences AS i ON i.id = c.inference_id
JOIN similar_tracks_by_inference AS s ON s.inference_id = c.inference_id
JOIN tracks AS t ON t.id = s.other_id;

CREATE OR REPLACE VIEW evaluations AS
SELECT run, snapshot_date, model_version, ndcg_at_10, recall_at_10, hit_rate_at_10, coverage, popularity_ndcg_at_10,
    threshold, day_users, day_ndcg_at_10, published_at
FROM inferences WHERE published_at IS NOT NULL;
