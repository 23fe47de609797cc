-- What a statement did, read in its own transaction right after it. One call answers everything: each message to the
-- server and each query it makes ready costs more than what they ask.
--
-- first: relations numbered above it were made by the script, which nobody waits for.
-- upto: of those, the ones that are not read again; 0: all are.
-- was: what had been written to catalogs at the last look; NULL: nothing is compared.
-- youngest: the age of the youngest row of pg_class seen so far. Ages of a transaction's own rows fall with each
--   statement, as each has a savepoint to itself.
-- beside: relations that have triggers, policies or rules.
-- types: the greatest number of a type seen so far.
CREATE OR REPLACE FUNCTION pg_temp.gatepost_look(
  first int8, upto int8, was int8[], youngest int8, beside int8[], types int8)
RETURNS TABLE (oid int8, word text, path text, name text, identity text, definition text)
LANGUAGE plpgsql
-- No look must meet what the migration set. It reads a few relations among many: by indexes, and planned once.
SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET random_page_cost = 0.001
AS $gatepost$
#variable_conflict use_column
DECLARE
  took int8 := 1000000 * EXTRACT(epoch FROM clock_timestamp() - statement_timestamp());
  modes text[] := '{AccessShareLock,RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}';
  now int8[] := ARRAY[
    -- 1 to 3: where facts of relations are; where triggers, policies and rules are; rows of both that are gone.
    {parts}, {beside}, {gone},
    -- 4 and 5: relations altered and dropped.
    pg_stat_get_xact_tuples_updated('pg_class'::regclass), pg_stat_get_xact_tuples_deleted('pg_class'::regclass),
    -- 6 to 9: what belongs to no relation, but that every table is a type and its constraints may be a domain's.
    {others} + pg_stat_get_xact_tuples_updated('pg_type'::regclass) + pg_stat_get_xact_tuples_deleted('pg_type'::regclass),
    pg_stat_get_xact_tuples_inserted('pg_type'::regclass),
    pg_stat_get_xact_tuples_deleted('pg_constraint'::regclass),
    pg_stat_get_xact_tuples_inserted('pg_constraint'::regclass) + pg_stat_get_xact_tuples_updated('pg_constraint'::regclass)];
  r record;
  fresh int8 := 0;
  explained int8 := 0;
  young int8 := youngest;
  strong oid[] := '{}';
  indexes oid[] := '{}';
  is_other bool := false;
BEGIN
  path := '';
  name := '';
  identity := '';
  FOR r IN
    SELECT h.oid, modes[h.mode] AS mode, h.mode >= 4 AS is_strong, coalesce(c.relfilenode::int8, -1) AS file, c.relkind,
           age(c.xmin) < youngest AS is_young, age(c.xmin) AS age, c.reltoastrelid <> 0 AS has_long,
           pg_stat_get_xact_numscans(h.oid) AS scans, {written} AS rows,
           pg_stat_get_xact_tuples_inserted(h.oid) AS inserted, pg_stat_get_xact_tuples_deleted(h.oid) AS deleted
    FROM (SELECT l.relation AS oid, max(array_position(modes, l.mode)) AS mode FROM pg_locks l
          WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
            AND (l.relation::int8 <= first OR l.relation::int8 > upto)
          GROUP BY l.relation) h
    LEFT JOIN pg_class c ON c.oid = h.oid
    -- The schema of tables for long values.
    WHERE c.relnamespace IS DISTINCT FROM 99
  LOOP
    oid := r.oid;
    word := 'reading';
    path := r.mode;
    definition := concat_ws(' ', r.scans, r.rows, r.file, r.inserted, r.deleted);
    RETURN NEXT;
    IF oid > first THEN
      fresh := fresh + r.rows;
    END IF;
    IF r.is_strong OR r.is_young THEN
      strong := strong || r.oid;
      IF r.relkind IN ('i', 'I') THEN
        indexes := indexes || r.oid;
      END IF;
    END IF;
    IF r.is_young THEN
      young := least(young, r.age);
      -- The row was there, or it was written again when it got its table for long values.
      IF r.has_long OR oid <= first THEN
        explained := explained + 1;
      END IF;
    END IF;
  END LOOP;
  IF upto > 0 THEN
    fresh := fresh + (
      SELECT coalesce(sum(w.rows), 0)
      FROM (SELECT h.oid, {written} AS rows
            FROM (SELECT DISTINCT l.relation AS oid FROM pg_locks l
                  WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted
                    AND l.relation::int8 > first AND l.relation::int8 <= upto OFFSET 0) h OFFSET 0) w
      WHERE w.rows > 0 AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = w.oid AND c.relnamespace = 99));
  END IF;
  path := '';
  IF was IS NOT NULL AND (now[1] <> was[1] OR now[2] <> was[2]) THEN
    IF upto > 0 AND now[3] = was[3] THEN
      -- So many are held that those are looked for of which a row was written. One that is gone is nobody's.
      SELECT coalesce(array_agg(x.oid), '{}'), least(young, min(x.age)) INTO strong, young FROM ({every}) x (oid, age)
      WHERE x.oid::int8 >= 16384 AND x.age < youngest;
      indexes := strong;
    ELSE
      IF upto > 0 THEN
        strong := strong || ARRAY (SELECT l.relation FROM pg_locks l WHERE l.pid = pg_backend_pid()
          AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384 AND array_position(modes, l.mode) >= 4);
        indexes := strong;
      END IF;
      IF now[4] - was[4] > explained THEN
        -- GRANT writes a relation's row without a lock.
        SELECT strong || coalesce(array_agg(c.oid), '{}'), least(young, min(age(c.xmin))) INTO strong, young FROM pg_class c
        WHERE c.oid::int8 >= 16384 AND age(c.xmin) < youngest;
      END IF;
    END IF;
    IF indexes <> '{}' THEN
      strong := strong || ARRAY (SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = ANY (indexes));
    END IF;
    oid := 0;
    word := 'owners';
    definition := array_to_string(strong, ' ');
    RETURN NEXT;
    RETURN QUERY {facts};
    IF now[2] <> was[2] OR strong::int8[] && beside THEN
      RETURN QUERY {facts_beside};
    END IF;
  END IF;
  IF was IS NOT NULL THEN
    is_other := now[6] <> was[6];
    IF now[7] <> was[7] THEN
      SELECT greatest(types, max(t.oid::int8)), is_other OR count(*) <> now[7] - was[7] OR bool_or(t.typtype IN ('e', 'd', 'r'))
      INTO types, is_other FROM pg_type t WHERE t.oid > types::oid;
    END IF;
    -- One that is gone may have been a domain's; any other is, only where domains have some.
    is_other := is_other OR now[8] <> was[8];
    IF NOT is_other AND now[9] <> was[9] THEN
      is_other := EXISTS (SELECT FROM pg_constraint k WHERE k.contypid > 0);
    END IF;
    IF is_other THEN
      oid := 0;
      word := 'others';
      RETURN NEXT;
      RETURN QUERY {facts_others};
    END IF;
  END IF;
  oid := 0;
  word := 'totals';
  definition := concat_ws(' ', took, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8,
    (1000 * EXTRACT(epoch FROM current_setting('lock_timeout')::interval))::int8,
    (current_setting('track_counts') = 'off')::int4, fresh, young, types);
  identity := now::text;
  RETURN NEXT;
END $gatepost$
