-- The runs of a client in ascending order: ids grow, and an index that new entries are added to at the end of keeps its
-- pages full, while one in descending order leaves them half empty. It is read backwards just as fast. Built and put in
-- the place of `verification_runs_client` month by month, when the steps are done (store::long_indexes).
CREATE INDEX verification_runs_of_client ON ONLY verification_runs (client_id, run_id);
