CREATE TABLE IF NOT EXISTS tracks_by_load (
    load_id bigint NOT NULL REFERENCES loads (id),
    id bigint NOT NULL,
    name text,
    artist text,
    songwriters text,
    duration text,
    genres text,
    album text,
    created_at timestamp,
    updated_at timestamp,
    PRIMARY KEY (load_id, id)
);

CREATE TABLE IF NOT EXISTS users_by_load (
    load_id bigint NOT NULL REFERENCES loads (id),
    id bigint NOT NULL,
    first_name text,
    last_name text,
    email text,
    gender text,
    favorite_genres text,
    created_at timestamp,
    updated_at timestamp,
    PRIMARY KEY (load_id, id)
);

-- A listen refers to the user and the track as they were loaded before it.
CREATE TABLE IF NOT EXISTS listens_by_load (
    load_id bigint NOT NULL REFERENCES loads (id),
    user_id bigint NOT NULL,
    position integer NOT NULL,
    track_id bigint NOT NULL,
    users_load bigint NOT NULL,
    tracks_load bigint NOT NULL,
    created_at timestamp,
    updated_at timestamp,
    PRIMARY KEY (load_id, user_id, position),
    FOREIGN KEY (users_load, user_id) REFERENCES users_by_load (load_id, id),
    FOREIGN KEY (tracks_load, track_id) REFERENCES tracks_by_load (load_id, id)
);

-- What the foreign keys look for when a user or a track goes.
CREATE INDEX ASYNC IF NOT EXISTS listens_by_user ON listens_by_load (users_load, user_id);

CREATE INDEX ASYNC IF NOT EXISTS listens_by_track ON listens_by_load (tracks_load, track_id);
