//! What a schema has beside relations, types and functions: comments, owners, privileges of columns and functions,
//! operators, statistics and the like. It is read where whole schemas are compared, not after every statement.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::{PATIENT, Postgres};
use crate::model::migration::{Fact, Facts, Object, ObjectKind};

/// Names are not qualified: it is always run with `search_path` set to `pg_catalog`.
///
/// Rows: kind, what it belongs to, name within that, definition.
const REST: &str = r"
WITH ext AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND objid >= 16384),
rel AS MATERIALIZED (
  SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid >= 16384 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND c.oid NOT IN (SELECT objid FROM ext WHERE classid = 'pg_class'::regclass)),
att AS MATERIALIZED (
  SELECT format('%I.%I', n.nspname, c.relname) AS path, quote_ident(a.attname) AS name, a.*, t.typstorage
  FROM (SELECT * FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped
        AND (attstorage <> CASE WHEN attlen = -1 THEN 'x' ELSE 'p' END OR attstattarget <> -1 OR attoptions IS NOT NULL
             OR attfdwoptions IS NOT NULL OR attacl IS NOT NULL OR {compression} <> '') OFFSET 0) a
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f', 'm') JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid WHERE n.nspname !~ '^pg_'),
other AS (
  SELECT 'pg_statistic_ext'::regclass AS class, oid, pg_get_statisticsobjdef(oid) AS def FROM pg_statistic_ext
  UNION ALL SELECT 'pg_operator'::regclass, oid, concat_ws(' ', 'PROCEDURE', oprcode, 'COMMUTATOR', nullif(oprcom, 0)::regoperator,
    'NEGATOR', nullif(oprnegate, 0)::regoperator, 'RESTRICT', oprrest, 'JOIN', oprjoin, CASE WHEN oprcanmerge THEN 'MERGES' END,
    CASE WHEN oprcanhash THEN 'HASHES' END) FROM pg_operator WHERE oid >= 16384
  UNION ALL SELECT 'pg_opclass'::regclass, o.oid, concat_ws(' ', CASE WHEN opcdefault THEN 'DEFAULT' END, 'FOR TYPE',
    opcintype::regtype, 'STORAGE', nullif(opckeytype, 0)::regtype) FROM pg_opclass o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_opfamily'::regclass, f.oid, concat_ws(' ',
    (SELECT string_agg(amopstrategy || ' ' || amopopr::regoperator, ', ' ORDER BY amopstrategy, amopopr::regoperator::text)
     FROM pg_amop WHERE amopfamily = f.oid),
    (SELECT string_agg(amprocnum || ' ' || amproc::oid::regprocedure, ', ' ORDER BY amprocnum, amproc::oid::regprocedure::text)
     FROM pg_amproc WHERE amprocfamily = f.oid)) FROM pg_opfamily f WHERE f.oid >= 16384
  UNION ALL SELECT 'pg_cast'::regclass, oid, concat_ws(' ', castcontext, castmethod, nullif(castfunc, 0)::regprocedure)
    FROM pg_cast WHERE oid >= 16384
  UNION ALL SELECT 'pg_collation'::regclass, c.oid, (to_jsonb(c) - '{oid,collname,collnamespace,collowner,collversion}'::text[])::text
    FROM pg_collation c WHERE c.oid >= 16384
  UNION ALL SELECT 'pg_conversion'::regclass, oid, concat_ws(' ', conforencoding, contoencoding, conproc, condefault)
    FROM pg_conversion WHERE oid >= 16384
  UNION ALL SELECT 'pg_ts_config'::regclass, c.oid, (SELECT string_agg(maptokentype || ' ' || mapdict::regdictionary, ', '
    ORDER BY maptokentype, mapseqno) FROM pg_ts_config_map WHERE mapcfg = c.oid) FROM pg_ts_config c WHERE c.oid >= 16384
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictinitoption FROM pg_ts_dict WHERE oid >= 16384
  UNION ALL SELECT 'pg_event_trigger'::regclass, oid, concat_ws(' ', evtevent, evtenabled, evtfoid::regprocedure, evttags)
    FROM pg_event_trigger
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, concat_ws(' ', nullif(fdwhandler, 0)::regprocedure,
    nullif(fdwvalidator, 0)::regprocedure, fdwoptions) FROM pg_foreign_data_wrapper WHERE oid >= 16384
  UNION ALL SELECT 'pg_foreign_server'::regclass, oid, concat_ws(' ', srvtype, srvversion, srvoptions) FROM pg_foreign_server
  -- Their options have passwords.
  UNION ALL SELECT 'pg_user_mapping'::regclass, oid, 'options ' || coalesce(md5(umoptions::text), '') FROM pg_user_mapping
  UNION ALL SELECT 'pg_publication'::regclass, p.oid, concat_ws(' ', to_jsonb(p) - '{oid,pubname,pubowner}'::text[],
    (SELECT string_agg(prrelid::regclass::text, ', ' ORDER BY prrelid::regclass::text) FROM pg_publication_rel WHERE prpubid = p.oid))
    FROM pg_publication p
  UNION ALL SELECT 'pg_language'::regclass, oid, concat_ws(' ', lanpltrusted, nullif(lanplcallfoid, 0)::regprocedure) FROM pg_language
    WHERE oid >= 16384
  UNION ALL SELECT 'pg_default_acl'::regclass, oid, array_to_string(defaclacl, ', ') FROM pg_default_acl
  UNION ALL SELECT 'pg_proc'::regclass, p.oid, concat_ws(' ', a.aggtransfn, a.aggtranstype::regtype, a.aggfinalfn, a.agginitval,
    a.aggcombinefn, nullif(a.aggsortop, 0)::regoperator) FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.oid >= 16384)
SELECT 'comment', CASE WHEN rel.oid IS NULL THEN i.identity ELSE format('%I.%I', rel.nspname, rel.relname) END, coalesce(quote_ident(a.attname), ''), d.description
FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
LEFT JOIN rel ON d.classoid = 'pg_class'::regclass AND rel.oid = d.objoid
LEFT JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum = d.objsubid AND d.objsubid > 0
WHERE d.objoid >= 16384 AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM ext)
  AND d.classoid <> 'pg_extension'::regclass
UNION ALL
SELECT 'other', i.type || ' ' || i.identity, '', coalesce(o.def, '') FROM other o
CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) i
WHERE (o.class, o.oid) NOT IN (SELECT classid, objid FROM ext)
UNION ALL
SELECT 'other', 'settings of column', path || '.' || name, concat_ws(' ', CASE WHEN attstorage <> typstorage THEN 'STORAGE ' || attstorage::text END,
    'COMPRESSION ' || nullif({compression}::text, ''), 'STATISTICS ' || nullif(attstattarget, -1),
    array_to_string(attoptions, ', '), array_to_string(attfdwoptions, ', ')) FROM att
WHERE attstorage <> typstorage OR {compression} <> '' OR attstattarget <> -1 OR attoptions IS NOT NULL OR attfdwoptions IS NOT NULL
UNION ALL
SELECT 'other', 'settings of relation', format('%I.%I', nspname, relname), concat_ws(' ', CASE WHEN relkind IN ('v', 'm', 'i') THEN array_to_string(reloptions, ', ') END,
    'REPLICA IDENTITY ' || nullif(nullif(relreplident::text, 'd'), 'n'), CASE WHEN reltablespace <> 0 THEN 'TABLESPACE' END,
    CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'WITH NO DATA' END) FROM rel
WHERE (relkind IN ('v', 'm', 'i') AND reloptions IS NOT NULL) OR relreplident NOT IN ('d', 'n') OR reltablespace <> 0
  OR (relkind = 'm' AND NOT relispopulated)
UNION ALL
SELECT 'other', 'settings of index', i.indexrelid::regclass::text, concat_ws(' ', CASE WHEN i.indisclustered THEN 'CLUSTERED' END,
    CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END)
FROM pg_index i JOIN rel ON rel.oid = i.indexrelid WHERE i.indisclustered OR i.indisreplident
UNION ALL
SELECT 'other', 'sequence', format('%I.%I', rel.nspname, rel.relname), concat_ws(' ', CASE d.deptype WHEN 'a' THEN 'OWNED BY' ELSE 'IDENTITY OF' END,
    format('%I.%I.%I', n.nspname, c.relname, a.attname), CASE WHEN d.deptype = 'i' THEN format('START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s',
    s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END) END)
FROM pg_sequence s JOIN rel ON s.seqrelid = rel.oid
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
UNION ALL
SELECT 'other', 'rule', format('%I.%I.%I', rel.nspname, rel.relname, w.rulename), 'enabled: ' || w.ev_enabled::text FROM pg_rewrite w JOIN rel ON rel.oid = w.ev_class
WHERE w.ev_enabled <> 'O'
UNION ALL
SELECT 'privileges', path, name, array_to_string(attacl, ', ') FROM att WHERE attacl IS NOT NULL
UNION ALL
SELECT 'privileges', i.identity, '', array_to_string(p.proacl, ', ') FROM pg_proc p CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE p.oid >= 16384 AND p.proacl IS NOT NULL AND p.pronamespace::regnamespace::text !~ '^pg_temp_'
  AND p.oid NOT IN (SELECT objid FROM ext WHERE classid = 'pg_proc'::regclass)
UNION ALL
SELECT 'privileges', quote_ident(nspname), '', array_to_string(nspacl, ', ') FROM pg_namespace
WHERE nspacl IS NOT NULL AND nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT 'privileges', i.identity, '', array_to_string(t.typacl, ', ') FROM pg_type t CROSS JOIN LATERAL pg_identify_object('pg_type'::regclass, t.oid, 0) i
WHERE t.oid >= 16384 AND t.typacl IS NOT NULL
UNION ALL
SELECT 'privileges', quote_ident(srvname), '', array_to_string(srvacl, ', ') FROM pg_foreign_server WHERE srvacl IS NOT NULL
UNION ALL
SELECT 'owner', format('%I.%I', nspname, relname), '', relowner::regrole::text FROM rel WHERE relkind NOT IN ('i', 'I', 't') AND relowner <> session_user::regrole
UNION ALL
SELECT 'owner', i.identity, '', p.proowner::regrole::text FROM pg_proc p CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE p.oid >= 16384 AND p.proowner <> session_user::regrole
UNION ALL
SELECT 'owner', quote_ident(nspname), '', nspowner::regrole::text FROM pg_namespace WHERE oid >= 16384 AND nspowner <> session_user::regrole
";

/// As a server of this major version has it.
pub(super) fn of_version(major: u32) -> String {
    REST.replace("{compression}", if major >= 14 { "attcompression" } else { "''" })
}

impl Postgres {
    /// Reads it all, within the script's transaction if one is open.
    pub(super) async fn read_rest(&mut self) -> Result<Facts, sqlx::Error> {
        let (open, close) = if self.script.open { ("", "") } else { ("BEGIN; ", "; ROLLBACK") };
        let sql = format!(
            "{open}SAVEPOINT gatepost_rest; {PATIENT}; SELECT * FROM pg_temp.gatepost_rest(); ROLLBACK TO SAVEPOINT \
             gatepost_rest; RELEASE SAVEPOINT gatepost_rest{close}"
        );
        Ok(self.rows(sql).await?.iter().map(fact).collect())
    }
}

fn fact(row: &PgRow) -> (Object, Fact) {
    let text = |at: usize| row.try_get::<Option<String>, _>(at).ok().flatten().unwrap_or_default();
    let kind = match text(0).as_str() {
        "comment" => ObjectKind::Comment,
        "privileges" => ObjectKind::Privileges,
        "owner" => ObjectKind::Owner,
        _ => ObjectKind::Other,
    };
    (Object { kind, of: text(1), name: text(2) }, Fact { identity: String::new(), definition: text(3) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://www.postgresql.org/docs/13/catalog-pg-attribute.html> has no `attcompression`, that of 14 has.
    #[test]
    fn a_server_is_asked_for_the_columns_that_it_has() {
        assert!(!of_version(12).contains("attcompression") && !of_version(13).contains("attcompression"));
        for major in 14..=18 {
            assert_eq!(of_version(major).matches("attcompression").count(), 3, "{major}");
        }
        assert!((12..=18).all(|major| !of_version(major).contains("{compression}")));
    }
}
