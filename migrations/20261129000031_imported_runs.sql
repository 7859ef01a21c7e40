-- The old system refused runs for reasons that have no code any more (a missing stamp). They stay refused, and what
-- was written of the reason is in their metadata. NOT VALID: every row holds to the stricter rule already, so that no
-- partition has to be read through under the lock.
ALTER TABLE verification_runs DROP CONSTRAINT runs_refused_with_code;
ALTER TABLE verification_runs ADD CONSTRAINT runs_refused_with_code
    CHECK (verdict IS NOT FALSE OR error_code IS NOT NULL OR legacy_run_id IS NOT NULL) NOT VALID;
